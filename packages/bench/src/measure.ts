import { syncsPerSecond } from "./machine.ts";

/** One way of doing the work: `run` does `count` units of it. */
export interface Contender {
  readonly name: string;
  run(count: number): Promise<void> | void;
}

export interface Figure {
  readonly name: string;
  /** Units a second, one for each round. */
  readonly rates: readonly number[];
}

/** Interleaved, A B A B: what the disk or the neighbours do hits all alike. One round before the first is not counted. */
export async function compare(
  folder: string,
  contenders: readonly Contender[],
  { rounds, count }: { readonly rounds: number; readonly count: number },
): Promise<{ readonly figures: readonly Figure[]; readonly syncs: number }> {
  const rates = contenders.map((): number[] => []);
  const syncs: number[] = [];
  for (let round = -1; round < rounds; round++) {
    syncs.push(syncsPerSecond(folder));
    for (const [index, contender] of contenders.entries()) {
      const started = performance.now();
      await contender.run(count);
      const rate = (count * 1000) / (performance.now() - started);
      if (round >= 0) rates[index]?.push(rate);
    }
  }
  return { figures: contenders.map(({ name }, index) => ({ name, rates: rates[index] ?? [] })), syncs: median(syncs) };
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** The median over the rounds of one contender's rate by another's in the same round. */
export function ratio(of: Figure, to: Figure): number {
  return median(of.rates.map((rate, round) => rate / (to.rates[round] ?? Number.NaN)));
}

import { type Figure, median, ratio } from "./measure.ts";

/** A goal, and whether it was met: "missed" beyond its half is said louder. */
function verdict(value: number, goal: number): string {
  if (value >= goal) return `goal >= ${shown(goal)}: met`;
  return value >= goal / 2 ? `goal >= ${shown(goal)}: MISSED` : `goal >= ${shown(goal)}: MISSED BY MORE THAN HALF`;
}

function verdictAtMost(value: number, goal: number): string {
  if (value <= goal) return `goal <= ${shown(goal)}: met`;
  return value <= goal * 2 ? `goal <= ${shown(goal)}: MISSED` : `goal <= ${shown(goal)}: MISSED BY MORE THAN HALF`;
}

export function verdictBelow(value: number, goal: number): string {
  if (value < goal) return `goal < ${shown(goal)}: met`;
  return value < goal * 2 ? `goal < ${shown(goal)}: MISSED` : `goal < ${shown(goal)}: MISSED BY MORE THAN HALF`;
}

export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly below?: number;
}

/** A line of the table: one figure, and whether its goal was met. */
export function printFigure(name: string, value: number, unit: string, { atLeast, atMost, below }: Goal): void {
  const judged = [
    ...(atLeast === undefined ? [] : [verdict(value, atLeast)]),
    ...(atMost === undefined ? [] : [verdictAtMost(value, atMost)]),
    ...(below === undefined ? [] : [verdictBelow(value, below)]),
  ];
  console.log(
    `  ${name.padEnd(48)} ${`${value >= 100 ? format(value) : value.toFixed(2)} ${unit}`.padStart(18)}  ${judged.join(", ")}`,
  );
}

/** A block of the table: each contender's median, range and ratio to the one named `to`. */
export function printFigures(
  title: string,
  { figures, syncs }: { readonly figures: readonly Figure[]; readonly syncs: number },
  { unit, to, goals }: { readonly unit: string; readonly to: string; readonly goals: Readonly<Record<string, number>> },
): void {
  console.log(`\n${title}   (disk: ${format(syncs)} fdatasync/s)`);
  const base = figures.find(({ name }) => name === to);
  for (const figure of figures) {
    const share = base === undefined ? Number.NaN : ratio(figure, base);
    const goal = goals[figure.name];
    const range = `${format(Math.min(...figure.rates))} - ${format(Math.max(...figure.rates))}`;
    const judged = goal === undefined ? "" : `  ${verdict(share, goal)}`;
    console.log(
      `  ${figure.name.padEnd(34)} ${`${format(median(figure.rates))} ${unit}`.padStart(18)}  (${range})`.padEnd(80) +
        `${share.toFixed(2)}x${judged}`,
    );
  }
}

function shown(goal: number): string {
  return goal >= 100 ? format(goal) : String(goal);
}

export function format(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

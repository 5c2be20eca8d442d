import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Fair } from "./baselines.ts";
import { Holdfast } from "./holdfast.ts";
import { compare, ratio } from "./measure.ts";
import { format, printFigures, verdictBelow } from "./report.ts";

const ROUNDS = 9;
const SIZES = [10_000, 100_000, 1_000_000];
/** So many messages are read in each round, whatever the size. */
const READ = 100_000;
const FAIR = "paged .all() + JSON.parse of each body";
const OURS = "Holdfast";

/** In global order, from stores of three lengths: the whole of a short one several times, a part of a long one. */
export async function benchReplay(folder: string): Promise<void> {
  const stores = await Promise.all(SIZES.map((size) => fill(join(folder, `replay-${size}`), size)));
  const contenders = stores.flatMap(({ size, fair, ours }) => [
    { name: `${FAIR}, of ${format(size)}`, run: () => readParts(size, (from, count) => fair.replay(from, count)) },
    { name: `${OURS}, of ${format(size)}`, run: () => readParts(size, (from, count) => ours.replay(from, count)) },
  ]);
  const { figures, syncs } = await compare(folder, contenders, { rounds: ROUNDS, count: READ });
  for (const [index, { size }] of stores.entries()) {
    const [fair, ours] = figures.slice(2 * index);
    if (fair === undefined || ours === undefined) throw new Error("a figure is missing");
    const pair = { figures: [fair, ours], syncs };
    const goals = { [ours.name]: 0.5 };
    printFigures(`replay of a store of ${format(size)} messages`, pair, { unit: "messages/s", to: fair.name, goals });
  }
  // Round by round, so that what slows a whole round down does not count as a slope.
  const [shortest, ...longer] = figures.filter((_, index) => index % 2 === 1);
  const slowdowns = longer.map((figure) => (shortest === undefined ? Number.NaN : ratio(shortest, figure) - 1));
  const worst = Math.max(...slowdowns);
  const shown = slowdowns.map((slowdown) => `${(slowdown * 100).toFixed(0)} %`).join(" and ");
  console.log(`  ${OURS} in the longer stores, slower than in the shortest by ${shown}  ${verdictBelow(worst, 0.2)}`);
  for (const { fair, ours } of stores) {
    fair.close();
    await ours.close();
  }
}

async function fill(
  place: string,
  size: number,
): Promise<{ readonly size: number; readonly fair: Fair; readonly ours: Holdfast }> {
  mkdirSync(place);
  const fair = new Fair(place);
  fair.syncNothing();
  const ours = await Holdfast.open("sqlite", place, "process");
  fair.appendBatches(size, 1_000, 64);
  await ours.appendBatches(size, 1_000, 64);
  return { size, fair, ours };
}

/** Reads `READ` messages in all; from a longer store its last ones. */
async function readParts(size: number, read: (from: number, count: number) => number | Promise<number>): Promise<void> {
  const count = Math.min(size, READ);
  for (let left = READ; left > 0; left -= count) {
    const found = await read(size - count, count);
    if (found !== count) throw new Error(`read ${found} messages of ${count}`);
  }
}

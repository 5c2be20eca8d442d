import { parseArgs } from "node:util";
import { canTrace } from "@holdfast/test-kit";
import { backends } from "./backends.ts";
import type { Tally } from "./chronicle.ts";
import { canCutPower, cutPowerApart } from "./host.ts";
import { killWriters } from "./kills.ts";
import { Progress } from "./progress.ts";
import { withScratch } from "./scratch.ts";

/** `pnpm crash [--cuts N] [--kills N] [--backend NAME]... [--seed S]`: so many of each backend, twice as many kills as cuts unless said. */
interface Row extends Tally {
  readonly backend: string;
  readonly crashes: string;
  readonly broken: number;
}

const { values } = parseArgs({
  options: {
    cuts: { type: "string", default: "100" },
    kills: { type: "string" },
    backend: { type: "string", multiple: true, default: backends.map(({ name }) => name) },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});
// The folders of what is under way are removed on the way out.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

const cuts = Number(values.cuts);
const kills = Number(values.kills ?? 2 * cuts);
const seed = Number(values.seed);
console.log(`Seed ${seed}. What breaks stays in the folder for temporary files.`);
const isTraced = canTrace();
const rows: Row[] = [];
if (cuts > 0 && (await canCutPower())) {
  for (const backend of values.backend) rows.push(await cut(backend));
}
if (kills > 0) rows.push(...(await Promise.all(values.backend.map(kill))));
console.log();
console.table(
  rows.map(({ backend, crashes, acknowledged, underWay, conflicts, messagesRead, broken }) => ({
    backend,
    crashes,
    acknowledged,
    "under way": underWay,
    conflicts,
    "messages read": messagesRead,
    broken,
  })),
);
process.exitCode = rows.some(({ broken }) => broken > 0) ? 1 : 0;

async function cut(backend: string): Promise<Row> {
  const progress = new Progress(backend, "cuts", cuts);
  const sum = await withScratch("cuts", (scratch, keep) =>
    cutPowerApart({ backend, cuts, seed, scratch, isTraced }, ({ number, moment, broken }) => {
      if (broken.length > 0) keep();
      progress.add(1, `cut ${number} (${moment})`, broken);
    }),
  );
  return { ...sum, backend, crashes: `${sum.cuts} power cuts`, broken: progress.broken };
}

async function kill(backend: string): Promise<Row> {
  const progress = new Progress(backend, "kills", kills);
  const sum = await withScratch("kills", (scratch, keep) =>
    killWriters({ backend, kills, seed, scratch, isTraced, stride: 1 }, (round) => {
      if (round.broken.length > 0) keep();
      progress.add(round.kills, `round ${round.number} (${round.aims.join(", ")})`, round.broken);
    }),
  );
  const at = Object.entries(sum.killsAt).map(([call, count]) => `${call} ${count}`);
  return { ...sum, backend, crashes: `${sum.kills} kills (${at.join(", ")})`, broken: progress.broken };
}

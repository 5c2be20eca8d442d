import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { belowFloors, tableOf } from "./counts.ts";
import { describeFailure, type Failure, runSeeds, stripTypes } from "./pool.ts";

/** `pnpm simulate [--seeds N] [--from S] [--operations N] [--log | --slots | --echoes | --fairness] [--trace]`: exits with 1 where a seed failed. */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: String(Math.floor(Math.random() * 1_000_000_000)) },
    operations: { type: "string", default: "200" },
    log: { type: "boolean", default: false },
    slots: { type: "boolean", default: false },
    echoes: { type: "boolean", default: false },
    fairness: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
const kinds = ["log", "slots", "echoes", "fairness"] as const;
const chosen = kinds.filter((each) => values[each]);
const kind = chosen.length === 1 ? (chosen[0] ?? "both") : "both";
const [seeds, from, operations] = [values.seeds, values.from, values.operations].map(Number) as [
  number,
  number,
  number,
];
/** So many seeds are few: what they met proves nothing of the rest. */
const FEW_SEEDS = 100;
const TELL_EVERY_MS = 2_000;

if (values.trace) {
  const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
  const args = [...stripTypes, worker, kind, from, seeds, 1, operations, "trace"].map(String);
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} else {
  const started = performance.now();
  let toldAt = started;
  const progress = (done: number) => {
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS && done < seeds) return;
    toldAt = now;
    process.stderr.write(`\r${done} of ${seeds} seeds, ${Math.round((done * 1_000) / (now - started))} a second `);
  };
  const toldOf = new Set<number>();
  const told = (outcome: Failure) => {
    if (outcome.violations.length === 0) return;
    toldOf.add(outcome.seed);
    console.log(`\n${describeFailure(outcome, operations)}`);
  };
  console.log(`${seeds} seeds of ${operations} operations from seed ${from} on (${kind})`);
  const workers = availableParallelism();
  const sum = await runSeeds({ kind, from, seeds, operations, workers, stopAtFailure: false, progress, told });
  process.stderr.write("\n");
  // Those of whom no worker could tell.
  for (const failure of sum.failures) if (!toldOf.has(failure.seed)) console.log(describeFailure(failure, operations));
  console.log(tableOf(sum.counts));
  const tooQuiet = kind === "fairness" || seeds < FEW_SEEDS ? [] : belowFloors(sum.counts);
  for (const each of tooQuiet) console.log(`too quiet: ${each}`);
  console.log(
    `${sum.seeds} seeds in ${((performance.now() - started) / 1_000).toFixed(1)} s: ${sum.failures.length} failed`,
  );
  process.exitCode = sum.failures.length + tooQuiet.length > 0 ? 1 : 0;
}

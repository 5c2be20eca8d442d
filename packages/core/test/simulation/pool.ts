import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { addCounts, type Counts, noCounts } from "./counts.ts";
import type { Kind, Outcome } from "./run.ts";

/** A seed takes a fraction of a second: one that says nothing for so long turns in circles. */
const SILENCE_MS = 30_000;

export interface SeedsToRun {
  /** "both": the log and slots in turn. */
  readonly kind: Kind | "both";
  readonly from: number;
  readonly seeds: number;
  readonly operations: number;
  readonly workers: number;
  readonly budgetMs?: number;
  /** No more seeds are begun after the first that fails. */
  readonly stopAtFailure: boolean;
  /** Of this directory, or of a copy of it. */
  readonly worker?: string;
  readonly progress?: (done: number) => void;
  readonly told?: (outcome: Outcome) => void;
}

export interface Failure {
  readonly seed: number;
  readonly kind: string;
  readonly violations: readonly string[];
  /** The worker did not come as far as to tell: nothing is known of the seed. */
  readonly crashed?: boolean;
}

export interface Sum {
  readonly counts: Counts;
  readonly seeds: number;
  readonly failures: readonly Failure[];
}

/** Runs seeds in worker processes, each with every n-th of them. */
export async function runSeeds(options: SeedsToRun): Promise<Sum> {
  const counts = noCounts();
  const failures: Failure[] = [];
  let seeds = 0;
  const children = new Set<ChildProcess>();
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  const timer = options.budgetMs === undefined ? undefined : setTimeout(stop, options.budgetMs);
  const told = (outcome: Outcome) => {
    seeds += 1;
    addCounts(counts, outcome.counts);
    if (outcome.violations.length > 0) failures.push(outcome);
    if (outcome.violations.length > 0 && options.stopAtFailure) stop();
    options.told?.(outcome);
    options.progress?.(seeds);
  };
  const failed = (failure: Failure) => {
    failures.push(failure);
    if (options.stopAtFailure) stop();
  };
  await Promise.all(
    Array.from({ length: options.workers }, (_, index) => runWorker(options, index, children, told, failed)),
  );
  clearTimeout(timer);
  return { counts, seeds, failures: failures.sort((one, other) => one.seed - other.seed) };
}

function runWorker(
  { kind, from, seeds, operations, workers, worker }: SeedsToRun,
  index: number,
  children: Set<ChildProcess>,
  told: (outcome: Outcome) => void,
  failed: (failure: Failure) => void,
): Promise<void> {
  const count = Math.ceil((seeds - index) / workers);
  if (count <= 0) return Promise.resolve();
  const program = worker ?? fileURLToPath(new URL("worker.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [...stripTypes, program, kind, from + index, count, workers, operations].map(String),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  children.add(child);
  let stderr = "";
  let done = 0;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const next = () => from + index + done * workers;
  let hung = false;
  const silence = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, SILENCE_MS);
  createInterface({ input: child.stdout }).on("line", (line) => {
    silence.refresh();
    done += 1;
    told(JSON.parse(line) as Outcome);
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(silence);
      children.delete(child);
      if (hung) failed({ seed: next(), kind, violations: [`it told nothing for ${SILENCE_MS} ms`] });
      // A signal: it was stopped on purpose.
      else if (signal === null && (code !== 0 || done < count)) {
        failed({ seed: next(), kind, crashed: true, violations: [`the worker ended with ${code}: ${stderr.trim()}`] });
      }
      resolve();
    });
  });
}

export const stripTypes: readonly string[] = process.features.typescript
  ? []
  : ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

/** What a failure says, and how it is seen again. */
export function describeFailure({ seed, kind, violations }: Failure, operations: number): string {
  const replay = `pnpm simulate --${kind} --operations ${operations} --from ${seed} --seeds 1 --trace`;
  return [`seed ${seed} (${kind}) fails:`, ...violations.map((each) => `  ${each}`), `  replay: ${replay}`].join("\n");
}

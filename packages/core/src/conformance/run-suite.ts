import type { Check, Clause } from "./clause.ts";
import { clauses } from "./clauses.ts";
import type { Harness } from "./harness.ts";
import { type CheckResult, runCheck } from "./run-check.ts";

/** Which clauses to run, and how. */
export interface SuiteOptions {
  readonly seed: number;
  /** Ids of the clauses to run; all unless given. */
  readonly only?: readonly string[] | undefined;
  /** How many checks run side by side; 16 unless given. Those that measure time or memory run alone, at the end. */
  readonly concurrency?: number | undefined;
  /** false: checks that take seconds, or tens of megabytes, on any backend are not run. */
  readonly costly?: boolean | undefined;
}

/** What a run found. */
export interface SuiteResult {
  readonly seed: number;
  readonly results: readonly CheckResult[];
  /** Ids of the clauses that a check found broken, in the contract's order. */
  readonly broken: readonly string[];
}

interface Task {
  readonly clause: Clause;
  readonly check: Check;
}

/** Runs the suite without a test runner: for scripts, live backends, and tests of the suite itself. Never rejects for a broken clause. */
export async function runSuite(harness: Harness, options: SuiteOptions): Promise<SuiteResult> {
  const { seed, only, concurrency = 16, costly = true } = options;
  const wanted = clauses.filter((clause) => only === undefined || only.includes(clause.id));
  const tasks = wanted
    .flatMap((clause) => clause.checks.map((check) => ({ clause, check })))
    .filter(({ check }) => costly || check.costly !== true);
  const done = new Map<Check, CheckResult>();
  const work = async (queue: Task[]) => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      done.set(task.check, await runCheck(harness, task.clause, task.check, seed));
    }
  };
  const together = tasks.filter((task) => task.check.alone !== true);
  await Promise.all(Array.from({ length: concurrency }, () => work(together)));
  await work(tasks.filter((task) => task.check.alone === true));

  const results = tasks.flatMap((task) => done.get(task.check) ?? []);
  const broken = wanted.filter((clause) =>
    results.some((result) => result.clause === clause && result.outcome === "failed"),
  );
  return { seed, results, broken: broken.map((clause) => clause.id) };
}

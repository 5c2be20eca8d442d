import { expect } from "vitest";
import type { Check, Clause } from "../../src/conformance/clause.ts";
import { clauses } from "../../src/conformance/clauses.ts";
import type { Harness } from "../../src/conformance/harness.ts";
import { type CheckResult, runCheck } from "../../src/conformance/run-check.ts";

export const seeds: readonly number[] = [1, 2, 3, 4, 5];
const CONCURRENCY = 24;

/** Checks that take long and draw nothing from the seed: for whom they are not to catch one seed is as good as five. */
const heavy = new Set(["V-3", "O-6", "L-6"]);
/** Those that write many megabytes or wait for seconds are asked only of whom they are to catch, and of the honest. */
const large = new Set(["R-11", "V-5"]);
const isSilence = ({ clause, check }: Task) => clause.id === "R-5" && check.title.includes("silence");

interface Task {
  readonly seed: number;
  readonly clause: Clause;
  readonly check: Check;
}

function isAsked(task: Task, caught: readonly string[]): boolean {
  const { seed, clause, check } = task;
  // Eleven seconds: the honest store on files is asked, where its whole conformance is tested.
  if (isSilence(task)) return false;
  if (caught.includes(clause.id)) return true;
  if (large.has(clause.id)) return caught.length === 0 && seed === seeds[0];
  return seed === seeds[0] || !(heavy.has(clause.id) || check.hook === "module");
}

async function run(harness: Harness, tasks: readonly Task[]): Promise<(Task & { readonly result: CheckResult })[]> {
  const done: (Task & { readonly result: CheckResult })[] = [];
  const work = async (queue: Task[]) => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      done.push({ ...task, result: await runCheck(harness, task.clause, task.check, task.seed) });
    }
  };
  const together = tasks.filter(({ check }) => check.alone !== true);
  await Promise.all(Array.from({ length: CONCURRENCY }, () => work(together)));
  await work(tasks.filter(({ check }) => check.alone === true));
  return done;
}

/** Runs the suite with every seed, and expects exactly the clauses in `caught` to be found broken with each. */
export async function expectCaught(harness: Harness, caught: readonly string[]): Promise<void> {
  const all = seeds.flatMap((seed) =>
    clauses.flatMap((clause) => clause.checks.map((check) => ({ seed, clause, check }))),
  );
  const done = await run(
    harness,
    all.filter((task) => isAsked(task, caught)),
  );
  const failed = done.filter(({ result }) => result.outcome === "failed");
  const unexpected = failed.filter(({ clause }) => !caught.includes(clause.id));
  const told = unexpected.map(({ seed, clause, check, result }) => {
    const error = result.outcome === "failed" ? result.error : undefined;
    return `${clause.id} ${check.title} (seed ${seed}): ${error instanceof Error ? error.message : String(error)}`;
  });
  expect(told, "clauses that were found broken, and are not said to be").toEqual([]);
  for (const seed of seeds) {
    const found = new Set(failed.filter((task) => task.seed === seed).map(({ clause }) => clause.id));
    expect(
      caught.filter((id) => !found.has(id)),
      `clauses that were not found broken with seed ${seed}`,
    ).toEqual([]);
  }
}

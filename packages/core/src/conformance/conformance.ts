import { randomInt } from "node:crypto";
import { Accounts } from "./accounts.ts";
import type { Check, Clause } from "./clause.ts";
import { clauses } from "./clauses.ts";
import { ClauseViolation } from "./expect.ts";
import type { Harness, Runner } from "./harness.ts";
import { modelTest } from "./model/index.ts";
import { type CheckResult, reasonToLeaveOut, runCheck, timeoutOf } from "./run-check.ts";

/**
 * Registers the whole contract with a test runner: one `describe`, one test for each check that applies to the backend,
 * random histories against a model (they need the package fast-check), and a last one that prints how many clauses ran
 * and every check left out with its reason.
 *
 * A red test names backend, clause, sentence, what was wanted and what was got, and the seed that replays it
 * (`HOLDFAST_SEED=...`). Works with the `describe` and `test` of vitest, node:test, jest and bun.
 */
export function conformance(runner: Runner, harness: Harness): void {
  const seed = seedFromEnvironment();
  const accounts = new Accounts(harness);
  runner.describe(`Holdfast contract: ${harness.name}`, () => {
    for (const clause of clauses) {
      for (const check of clause.checks) {
        const reason = reasonToLeaveOut(check, harness);
        if (reason !== undefined) {
          accounts.add({ clause, check, outcome: "left out", reason, untidy: [] });
          continue;
        }
        const body = async () => {
          const result = await runCheck(harness, clause, check, seed);
          accounts.add(result);
          if (result.outcome === "failed") throw violation(harness, result, result.error, seed);
        };
        // The check has its own limit, which says more than the runner's: the runner's is only the last resort.
        runner.test(titleOf(clause, check), body, timeoutOf(check) + 20_000);
      }
    }
    const model = modelTest(harness);
    runner.test(model.title, () => model.run(seed), model.timeoutMs);
    runner.test("every clause was asked", () => accounts.close(seed), 30_000);
  });
}

/** HOLDFAST_SEED, or one made at random. */
function seedFromEnvironment(): number {
  const given = Number(process.env["HOLDFAST_SEED"] ?? Number.NaN);
  return Number.isSafeInteger(given) ? given : randomInt(2 ** 31);
}

function titleOf(clause: Clause, check: Check): string {
  return `${clause.id} ${shorten(clause.sentence)} - ${check.title}`;
}

function shorten(sentence: string): string {
  if (sentence.length <= 72) return sentence;
  return `${sentence.slice(0, 72).replace(/\s+\S*$/u, "")} ...`;
}

/** The red test's error: all that is needed to see which promise was broken, without reading the suite. */
function violation(harness: Harness, result: CheckResult, error: unknown, seed: number): Error {
  const { clause, check } = result;
  const got = error instanceof ClauseViolation ? error.message : `it failed with ${describe(error)}`;
  const message = [
    `${harness.name} breaks ${clause.id}: ${clause.sentence}`,
    `  check:  ${check.title}`,
    `  ${got}`,
    `  replay with HOLDFAST_SEED=${seed}`,
  ].join("\n");
  const red = new Error(message, { cause: error });
  red.name = "ClauseViolation";
  if (error instanceof Error) red.stack = `${red.name}: ${message}\n${framesOf(error)}`;
  return red;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function framesOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n");
  return lines.filter((line) => /^\s+at /u.test(line)).join("\n");
}

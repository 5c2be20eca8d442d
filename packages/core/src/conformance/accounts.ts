import type { Check, Clause } from "./clause.ts";
import { clauses } from "./clauses.ts";
import { equal } from "./expect.ts";
import type { Harness } from "./harness.ts";
import { type CheckResult, reasonToLeaveOut } from "./run-check.ts";

/** What a run asked, and what it left out and why. */
export class Accounts {
  readonly #harness: Harness;
  readonly #results = new Map<Check, CheckResult>();

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  add(result: CheckResult): void {
    this.#results.set(result.check, result);
  }

  /** Prints the account; rejects if a check that applies did not run, or if the harness says what its store does not. */
  async close(seed: number): Promise<void> {
    console.log(this.#account(seed));
    equal(this.#notRun(), [], "every check that applies has run, in order and before this one");
    equal(this.#untidy(), [], "stores close and places are destroyed after each check");
    await this.#compareCapabilities();
  }

  #account(seed: number): string {
    const results = [...this.#results.values()];
    const ran = results.filter((result) => result.outcome !== "left out");
    const failed = ran.filter((result) => result.outcome === "failed");
    const head =
      `Holdfast contract: ${this.#harness.name}: ${new Set(ran.map((result) => result.clause)).size} of ` +
      `${clauses.length} clauses ran, ${ran.length} checks, ${failed.length} failed (seed ${seed})`;
    const unmet = clauses.filter((clause) => failed.some((result) => result.clause === clause)).map(({ id }) => id);
    const list = unmet.length === 0 ? [] : [`  not met: ${unmet.join(", ")}`];
    return [head, ...list, ...this.#leftOut()].join("\n");
  }

  /** One line for each reason: the clauses left out whole, then the checks left out of the others. */
  #leftOut(): readonly string[] {
    const byReason = new Map<string, string[]>();
    for (const clause of clauses) {
      const out = clause.checks.flatMap((check) => {
        const result = this.#results.get(check);
        return result?.outcome === "left out" ? [{ title: check.title, reason: result.reason }] : [];
      });
      for (const reason of new Set(out.map((one) => one.reason))) {
        const titles = out.filter((one) => one.reason === reason).map((one) => one.title);
        const whole = titles.length === clause.checks.length;
        const named = whole ? clause.id : `part of ${clause.id} (${titles.join("; ")})`;
        byReason.set(reason, [...(byReason.get(reason) ?? []), named]);
      }
    }
    return [...byReason].map(([reason, left]) => `  left out, ${reason}: ${left.toSorted(wholeFirst).join(", ")}`);
  }

  #notRun(): readonly string[] {
    const missing = (clause: Clause) =>
      clause.checks.filter(
        (check) => !this.#results.has(check) && reasonToLeaveOut(check, this.#harness) === undefined,
      );
    return clauses.flatMap((clause) => missing(clause).map((check) => `${clause.id} ${check.title}`));
  }

  #untidy(): readonly string[] {
    return [...this.#results.values()].flatMap((result) =>
      result.untidy.map((error) => `${result.clause.id} ${result.check.title}: ${String(error)}`),
    );
  }

  /** What is left out rests on the harness's word: it must be the store's word too. */
  async #compareCapabilities(): Promise<void> {
    const place = await this.#harness.create();
    const store = await this.#harness.open(place);
    try {
      equal({ ...store.capabilities }, { ...this.#harness.capabilities }, "the harness's capabilities are its store's");
    } finally {
      await store.close();
      await this.#harness.destroy(place);
    }
  }
}

function wholeFirst(one: string, other: string): number {
  return Number(one.startsWith("part of")) - Number(other.startsWith("part of"));
}

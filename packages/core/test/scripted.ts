import type { Commit, CommitOutcome, StoreDriver } from "../src/driver/index.ts";
import { MemoryDriver } from "../src/memory/memory-driver.ts";
import { DriverDataStore } from "../src/store/driver-data-store.ts";
import { overriding } from "./saboteurs/overriding.ts";

/** What becomes of one call of the driver's `commit`: `apply` does what an honest driver does with the commits. */
export type Step = (
  commits: readonly Commit[],
  apply: () => Promise<readonly CommitOutcome[]>,
) => Promise<readonly CommitOutcome[]>;

export interface Scripted {
  readonly store: DriverDataStore;
  /** The commits of each call. */
  readonly calls: (readonly Commit[])[];
  /** What the next calls meet; the calls behind it are honest. */
  readonly script: Step[];
  /** The honest driver beneath: others may write through it. */
  readonly driver: MemoryDriver;
}

/** A store in memory whose driver follows a script, and counts. */
export function scripted(traits: Partial<StoreDriver> = {}, settleTimeoutMs = 10_000): Scripted {
  const driver = new MemoryDriver();
  const calls: (readonly Commit[])[] = [];
  const script: Step[] = [];
  const scriptedDriver = overriding<StoreDriver>(driver, {
    ...traits,
    commit: (commits) => {
      calls.push(commits);
      const apply = () => driver.commit(commits);
      const step = script.shift();
      return step === undefined ? apply() : step(commits, apply);
    },
  });
  return { store: new DriverDataStore(scriptedDriver, { settleTimeoutMs, noticeMs: 1 }), calls, script, driver };
}

/** It takes effect, and the reply is lost. */
export const loseReply: Step = async (commits, apply) => {
  await apply();
  return commits.map(() => ({ kind: "uncertain", cause: new Error("the reply was lost") }));
};

/** It does not take effect, and nobody knows. */
export const loseRequest: Step = async (commits) =>
  commits.map(() => ({ kind: "uncertain", cause: new Error("the request was lost") }));

import { setTimeout as sleep } from "node:timers/promises";
import type { DataStore } from "../contract/data-store.ts";
import type { CommitOutcome } from "../driver/commit.ts";
import { interceptCommits } from "../store/driver-data-store.ts";
import type { Faults } from "./harness.ts";

interface Plan {
  /** How many commits' replies are still to be lost. */
  repliesToLose: number;
  syncFails: boolean;
  /** How many calls' replies are still to be held back, and for how long. */
  repliesToDelay: number;
  delayMs: number;
}

const plans = new WeakMap<DataStore, Plan>();

/** The fault hooks that every store on the SPI has for nothing: they stand between core and its driver. */
export const driverFaults = {
  async loseReplies(store: DataStore, count: number): Promise<void> {
    planOf(store).repliesToLose = count;
  },
  async failSync(store: DataStore): Promise<void> {
    planOf(store).syncFails = true;
  },
} satisfies Faults;

/** The replies of the next `count` calls of the driver are held back for `delayMs` milliseconds. For stores on the SPI. */
export function delayReplies(store: DataStore, count: number, delayMs: number): void {
  Object.assign(planOf(store), { repliesToDelay: count, delayMs });
}

function planOf(store: DataStore): Plan {
  const known = plans.get(store);
  if (known !== undefined) return known;
  const plan: Plan = { repliesToLose: 0, syncFails: false, repliesToDelay: 0, delayMs: 0 };
  interceptCommits(store, async (commits, deadline, next) => {
    if (plan.syncFails) {
      plan.syncFails = false;
      return commits.map((): CommitOutcome => ({ kind: "reopen", cause: new Error("the sync to disk failed") }));
    }
    const outcomes = await next(commits, deadline);
    if (plan.repliesToDelay > 0) {
      plan.repliesToDelay -= 1;
      await sleep(plan.delayMs);
    }
    return outcomes.map((outcome): CommitOutcome => {
      if (plan.repliesToLose === 0) return outcome;
      plan.repliesToLose -= 1;
      return { kind: "uncertain", cause: new Error("the reply was lost") };
    });
  });
  plans.set(store, plan);
  return plan;
}

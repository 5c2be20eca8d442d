import type { DataStore } from "../../contract/data-store.ts";
import { equal } from "../expect.ts";
import { checkHistory } from "../history/check.ts";
import { readFinalState } from "../history/final-state.ts";
import type { History, Violation } from "../history/history.ts";

/** What these clients asked and were told fits what the store holds now, and can have happened in one order. */
export async function judgeHistory(store: DataStore, ...histories: readonly History[]): Promise<void> {
  const history = histories.flat();
  foundNothing(checkHistory(history, await readFinalState(store, history)));
}

export function foundNothing(violations: readonly Violation[]): void {
  const told = violations.map(({ clauses, what }) => `${clauses.join(", ")}: ${what}`);
  equal(told, [], "what the history of the race shows to be broken");
}

import { chainCommits, mapGlobal } from "./chains.ts";
import { Claims } from "./claims.ts";
import { commitsOf } from "./commits.ts";
import { Findings } from "./findings.ts";
import type { FinalState, History, Violation } from "./history.ts";
import { Observations } from "./observations.ts";
import { Order } from "./order.ts";
import { Places } from "./places.ts";

/**
 * Whether the history of a store and what is in it in the end fit the contract; empty where they do. What it judges:
 * that every acknowledged write is where it was made, whole, once, and that nothing else is there (A-1 to, S-2 to
 * S-6, W-1, W-3 to W-5, W-10); that every reader was given just that (A-4, G-1, G-2, G-4, G-5, S-5); and that all of it
 * can have happened in one order, each call at one moment between its call and its return (A-1, A-2, S-2, S-3, G-3, R-10).
 *
 * It takes time linear in the operations: a million in about a second. It is exact but for one case, in which it finds too
 * little: a revision that no reader saw, and that one of several transactions of unknown outcome may have made.
 *
 * The rules are those of Cassandra's `HistoryChecker.java` and of Jepsen's Elle: as each message is in one place, the
 * order of all writes is known, and need not be searched for.
 */
export function checkHistory(history: History, final: FinalState): readonly Violation[] {
  const findings = new Findings();
  const places = new Places(history, final, findings);
  const order = new Order();
  const claims = new Claims(places, order, findings);
  claims.settle(commitsOf(history), final);
  mapGlobal(final, places, findings);
  chainCommits(places, claims, order, findings);
  new Observations(places, claims, order, findings).addAll(history);
  // Where the pieces do not fit, the order in time of what is left would only say so again, and less clearly.
  if (findings.violations.length === 0) order.judge(findings);
  return findings.violations;
}

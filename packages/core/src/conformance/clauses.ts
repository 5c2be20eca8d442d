import type { Clause } from "./clause.ts";
import { appendClauses } from "./clauses/append.ts";
import { commitClauses } from "./clauses/commits.ts";
import { globalClauses } from "./clauses/global.ts";
import { lifeClauses } from "./clauses/life.ts";
import { lostReplyClauses } from "./clauses/lost-replies.ts";
import { offsetClauses } from "./clauses/offsets.ts";
import { readClauses } from "./clauses/read.ts";
import { stateClauses } from "./clauses/state.ts";
import { valueClauses } from "./clauses/values.ts";

/** Every clause of the contract, in its order. */
export const clauses: readonly Clause[] = [
  ...appendClauses,
  ...readClauses,
  ...globalClauses,
  ...stateClauses,
  ...inOrder([...commitClauses, ...lostReplyClauses]),
  ...valueClauses,
  ...offsetClauses,
  ...lifeClauses,
];

function inOrder(group: readonly Clause[]): readonly Clause[] {
  return group.toSorted((one, other) => number(one) - number(other));
}

function number(clause: Clause): number {
  return Number(clause.id.slice(clause.id.indexOf("-") + 1));
}

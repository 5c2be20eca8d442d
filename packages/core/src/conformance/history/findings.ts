import type { CommitOperation, HistoryWrite, Operation, Violation } from "./history.ts";

/** So many violations of one clause are enough: one fault often breaks every operation after it. */
const maxOfOneClause = 10;

/** The violations found so far. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly #counts = new Map<string, number>();

  add(clauses: readonly string[], what: string, operations: readonly Operation[] = []): void {
    const clause = clauses[0] ?? "";
    const count = (this.#counts.get(clause) ?? 0) + 1;
    this.#counts.set(clause, count);
    if (count > maxOfOneClause) return;
    const shown = operations.slice(0, 6).map((operation) => `\n  ${describe(operation)}`);
    const more = operations.length > shown.length ? `\n  and ${operations.length - shown.length} more` : "";
    this.violations.push({ clauses: [...new Set(clauses)], what: `${what}${shown.join("")}${more}`, operations });
  }
}

/** An operation in one line. */
function describe(operation: Operation): string {
  return `${operation.client} ${call(operation)}, called ${operation.called}, returned ${operation.returned}`;
}

function call(operation: Operation): string {
  switch (operation.kind) {
    case "commit":
      return `${operation.writes.map(write).join(" + ")}${named(operation)}: ${outcome(operation)}`;
    case "nextOffset":
      return `nextOffset of ${operation.stream}: ${operation.nextOffset}`;
    case "readStream":
      return `read of ${operation.stream} from ${operation.from}: ${operation.tokens.length} messages${operation.end ? " to the end" : ""}`;
    case "load":
      return `load of ${operation.persistenceId}: revision ${operation.revision}, ${operation.token ?? "no state"}`;
    case "nextGlobalOffset":
      return `nextGlobalOffset: ${operation.nextGlobalOffset}`;
    case "readGlobal":
      return `read of all from ${operation.from}: ${operation.messages.length} messages${operation.end ? " to the end" : ""}`;
  }
}

function write(one: HistoryWrite): string {
  if (one.kind === "append") return `append of ${one.tokens.join(" ")} at ${one.offset} of ${one.stream}`;
  return `${one.kind} of ${one.persistenceId} at ${one.revision}${one.kind === "upsert" ? ` to ${one.token}` : ""}`;
}

function named({ commitId }: CommitOperation): string {
  return commitId === undefined ? "" : ` as ${commitId}`;
}

function outcome({ outcome: told }: CommitOperation): string {
  return told.kind === "conflict" ? `conflict of write ${told.write}, actual ${told.actual}` : told.kind;
}

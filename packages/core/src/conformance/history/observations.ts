import type { Claims } from "./claims.ts";
import { expectedBy } from "./commits.ts";
import type { Findings } from "./findings.ts";
import type { CommitOperation, History, Operation, ReadOperation } from "./history.ts";
import type { EdgeKind, Order } from "./order.ts";
import { nobody, type Places } from "./places.ts";

type Of<Kind extends ReadOperation["kind"]> = ReadOperation & { readonly kind: Kind };

/**
 * What reads and conflicts saw: what they were given must be in the final state, and puts them between the commits.
 * Messages read show that the end was at least there, an end found (an offset, a revision) that it was just there.
 */
export class Observations {
  readonly #places: Places;
  readonly #claims: Claims;
  readonly #order: Order;
  readonly #findings: Findings;

  constructor(places: Places, claims: Claims, order: Order, findings: Findings) {
    this.#places = places;
    this.#claims = claims;
    this.#order = order;
    this.#findings = findings;
  }

  addAll(history: History): void {
    for (const operation of history) {
      if (operation.kind !== "commit") this.#read(operation);
      else if (operation.outcome.kind === "conflict") this.#conflict(operation, operation.outcome);
    }
  }

  #read(operation: ReadOperation): void {
    if (operation.kind === "readStream") this.#readStream(operation);
    else if (operation.kind === "readGlobal") this.#readGlobal(operation);
    else if (operation.kind === "nextGlobalOffset") this.#sawGlobal(operation, operation.nextGlobalOffset, true);
    else if (operation.kind === "load")
      this.#sawState(operation, this.#moment(operation), operation.persistenceId, operation.revision);
    else this.#sawStream(operation, this.#moment(operation), operation.stream, operation.nextOffset, true);
  }

  #moment(operation: Operation): number {
    return this.#order.moment([operation], operation.called, operation.returned);
  }

  #readStream(read: Of<"readStream">): void {
    const { stream, from, tokens, end } = read;
    const found = this.#places.stream(stream).tokens;
    for (let index = 0; index < tokens.length; index++) {
      if (found[from + index] === tokens[index]) continue;
      const what = `at offset ${from + index} of ${stream} is ${found[from + index]}, and a reader was given ${tokens[index]}`;
      this.#findings.add(found[from + index] === undefined ? ["A-4", "W-10"] : ["A-4"], what, [read]);
      return;
    }
    const moment = this.#moment(read);
    if (tokens.length > 0) this.#sawStream(read, moment, stream, from + tokens.length, end);
    else if (end) this.#sawEnd(moment, this.#places.stream(stream).makers, from, "stream");
  }

  #readGlobal(read: Of<"readGlobal">): void {
    const global = this.#final();
    for (const [index, given] of read.messages.entries()) {
      const at = read.from + index;
      const found = global[at];
      if (given.globalOffset !== at) {
        const what = `a reader of all was given global offset ${given.globalOffset} where ${at} was next`;
        this.#findings.add(["G-1"], what, [read]);
        return;
      }
      if (found?.token === given.token && found.stream === given.stream && found.offset === given.offset) continue;
      const what = `at global offset ${at} is ${found?.token}, and a reader was given ${given.token}`;
      this.#findings.add(found === undefined ? ["G-4", "W-10"] : ["G-4"], what, [read]);
      return;
    }
    const { messages, from, end } = read;
    if (messages.length > 0) this.#sawGlobal(read, from + messages.length, end);
    else if (end) this.#sawEnd(this.#moment(read), this.#places.globalMakers, from, "global");
  }

  #final() {
    const { global } = this.#places;
    if (global === undefined) throw new TypeError("the history reads a global order, and the final state has none");
    return global;
  }

  #sawGlobal(operation: Operation, next: number, isEnd: boolean): void {
    const { length } = this.#final();
    if (next > length) {
      const what = `a reader was told of global offset ${next - 1}, and in the end the next one is ${length}`;
      this.#findings.add(["G-4", "W-10"], what, [operation]);
      return;
    }
    this.#saw(operation, this.#moment(operation), this.#places.globalMakers, next, isEnd, "global");
  }

  #sawStream(operation: Operation, moment: number, stream: string, next: number, isEnd: boolean): void {
    const { tokens, makers } = this.#places.stream(stream);
    if (next > tokens.length) {
      const what = `a caller was told of offset ${next - 1} of ${stream}, and in the end the next one is ${tokens.length}`;
      this.#findings.add(clausesOf(operation, "stream", "W-10"), what, [operation]);
      return;
    }
    this.#saw(operation, moment, makers, next, isEnd, "stream");
  }

  #sawState(operation: Operation, moment: number, persistenceId: string, revision: number): void {
    const state = this.#places.state(persistenceId);
    if (revision > state.revision) {
      if (operation.kind === "load") return;
      const what = `a conflict told of revision ${revision}, and in the end ${persistenceId} is at ${state.revision}`;
      this.#findings.add(clausesOf(operation, "state", "W-10"), what, [operation]);
      return;
    }
    this.#saw(operation, moment, state.makers, revision, true, "state");
  }

  /** At the moment the end was at `next`, or further on. It is never within a commit. */
  #saw(
    operation: Operation,
    moment: number,
    makers: readonly number[],
    next: number,
    isEnd: boolean,
    kind: EdgeKind,
  ): void {
    const before = makers[next - 1] ?? nobody;
    if (before !== nobody) this.#order.before(before, moment, kind);
    if (!isEnd) return;
    if (before !== nobody && before === makers[next]) {
      const commit = this.#claims.made[before];
      const clauses = commit !== undefined && commit.writes.length > 1 ? ["W-1", "A-3"] : ["A-3"];
      this.#findings.add(clauses, "a part of a commit was seen", [operation, ...(commit?.operations ?? [])]);
      return;
    }
    this.#sawEnd(moment, makers, next, kind);
  }

  /** At the moment nothing was at `next` yet. */
  #sawEnd(moment: number, makers: readonly number[], next: number, kind: EdgeKind): void {
    const after = makers[next] ?? nobody;
    if (after !== nobody) this.#order.before(moment, after, kind);
  }

  /** When it was judged, the writes before the one that clashed did not clash, and that one did. */
  #conflict(operation: CommitOperation, { write, actual }: { readonly write: number; readonly actual: number }): void {
    const moment = this.#moment(operation);
    const seen = new Set<string>();
    for (const one of operation.writes.slice(0, write + 1)) {
      const clashed = one === operation.writes[write];
      const place = one.kind === "append" ? `stream ${one.stream}` : `state ${one.persistenceId}`;
      if (clashed && (actual === expectedBy(one) || seen.has(place))) {
        const what = "a conflict names a write that was at the right place, or stood on one of its own commit";
        this.#findings.add(clausesOf(operation, one.kind === "append" ? "stream" : "state"), what, [operation]);
        return;
      }
      if (seen.has(place)) continue;
      seen.add(place);
      const end = clashed ? actual : expectedBy(one);
      if (one.kind === "append") this.#sawStream(operation, moment, one.stream, end, true);
      else this.#sawState(operation, moment, one.persistenceId, end);
    }
  }
}

function clausesOf(operation: Operation, kind: "stream" | "state", ...more: readonly string[]): string[] {
  const own = kind === "stream" ? "A-2" : "S-3";
  return operation.kind === "commit" ? [own, ...more] : ["R-10", ...more];
}

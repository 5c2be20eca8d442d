import type { Findings } from "./findings.ts";
import type { Operation } from "./history.ts";

/** What an edge rests on: the next write of a stream or state, or a read of one; the global order. */
export type EdgeKind = "stream" | "state" | "global";

const kinds: readonly EdgeKind[] = ["stream", "state", "global"];

/**
 * Whether there is one order of all operations that fits what each has seen, with each at one moment between its call and
 * its return: strict serializability.
 *
 * The order of the writes to each stream and state is known from the final state, so what must come before what is a
 * graph (as in Adya's "Weak Consistency", 1999, and Jepsen's Elle). The earliest moment of an operation is the latest of
 * its call and of its predecessors' earliest moments: there is such an order exactly if the graph has no cycle and no
 * operation's earliest moment lies behind its return. Linear time: real time needs no edges.
 */
export class Order {
  readonly #called: number[] = [];
  readonly #returned: number[] = [];
  readonly #operations: (readonly Operation[])[] = [];
  readonly #from = new Integers();
  readonly #to = new Integers();
  readonly #kind = new Integers();

  /** One moment in time, when all that these operations say holds; gives its number. */
  moment(operations: readonly Operation[], called: number, returned: number): number {
    this.#called.push(called);
    this.#returned.push(returned);
    return this.#operations.push(operations) - 1;
  }

  before(one: number, other: number, kind: EdgeKind): void {
    this.#from.push(one);
    this.#to.push(other);
    this.#kind.push(kinds.indexOf(kind));
  }

  judge(findings: Findings): void {
    const { waits, starts, edges } = this.#successors();
    const earliest = Float64Array.from(this.#called);
    const reason = new Int32Array(earliest.length).fill(-1);
    const ready = new Int32Array(earliest.length);
    let found = 0;
    for (let node = 0; node < waits.length; node++) if (waits[node] === 0) ready[found++] = node;
    for (let at = 0; at < found; at++) {
      const node = ready[at] as number;
      if ((earliest[node] as number) > (this.#returned[node] as number)) {
        this.#tooLate(node, reason, findings);
        earliest[node] = this.#returned[node] as number;
      }
      for (let index = starts[node] as number; index < (starts[node + 1] as number); index++) {
        const edge = edges[index] as number;
        const next = this.#to.at(edge);
        if ((earliest[node] as number) > (earliest[next] as number)) {
          earliest[next] = earliest[node] as number;
          reason[next] = edge;
        }
        waits[next] = (waits[next] as number) - 1;
        if (waits[next] === 0) ready[found++] = next;
      }
    }
    if (found < earliest.length) this.#cycle(waits, findings);
  }

  /** For each moment how many edges lead to it, and those that leave it: edges[starts[node]] to edges[starts[node + 1]]. */
  #successors(): { readonly waits: Int32Array; readonly starts: Int32Array; readonly edges: Int32Array } {
    const count = this.#called.length;
    const waits = new Int32Array(count);
    const starts = new Int32Array(count + 2);
    for (let edge = 0; edge < this.#from.length; edge++) {
      const from = this.#from.at(edge);
      const to = this.#to.at(edge);
      waits[to] = (waits[to] as number) + 1;
      starts[from + 2] = (starts[from + 2] as number) + 1;
    }
    for (let node = 2; node < starts.length; node++)
      starts[node] = (starts[node] as number) + (starts[node - 1] as number);
    const edges = new Int32Array(this.#from.length);
    for (let edge = 0; edge < edges.length; edge++) {
      const next = this.#from.at(edge) + 1;
      edges[starts[next] as number] = edge;
      starts[next] = (starts[next] as number) + 1;
    }
    return { waits, starts, edges };
  }

  /** The operation must come after one that was called only when it had returned. */
  #tooLate(node: number, reason: Int32Array, findings: Findings): void {
    const path = [node];
    const edges: number[] = [];
    for (let at = node; reason[at] !== -1; ) {
      const edge = reason[at] as number;
      edges.push(edge);
      at = this.#from.at(edge);
      path.push(at);
    }
    const origin = path.at(-1) ?? node;
    const operations = path.flatMap((at) => this.#operations[at] ?? []);
    const what = "an operation had returned before another was called, and yet comes after it";
    findings.add(this.#clauses(node, origin, path, edges), what, operations);
  }

  #cycle(waits: Int32Array, findings: Findings): void {
    const into = new Map<number, number>();
    for (let edge = 0; edge < this.#from.length; edge++) {
      if (waits[this.#from.at(edge)] !== 0 && waits[this.#to.at(edge)] !== 0) into.set(this.#to.at(edge), edge);
    }
    const seen = new Map<number, number>();
    const path: number[] = [];
    const edges: number[] = [];
    let [at] = into.keys();
    while (at !== undefined && !seen.has(at)) {
      seen.set(at, path.length);
      path.push(at);
      const edge = into.get(at) as number;
      edges.push(edge);
      at = this.#from.at(edge);
    }
    const start = seen.get(at ?? -1) ?? 0;
    const operations = path.slice(start).flatMap((node) => this.#operations[node] ?? []);
    const isGlobal = edges.slice(start).some((edge) => kinds[this.#kind.at(edge)] === "global");
    findings.add(
      isGlobal ? ["W-1", "G-2"] : ["W-1"],
      "each of these comes before the next, and the last before the first",
      operations,
    );
  }

  /** `late` must come after `origin`, and had returned before that was called. */
  #clauses(late: number, origin: number, path: readonly number[], edges: readonly number[]): string[] {
    const seen = new Set(edges.map((edge) => kinds[this.#kind.at(edge)]));
    const clauses: string[] = [];
    const reads = [late, origin].filter((node) => !this.#isWrite(node));
    if (reads.length === 0) {
      if (seen.has("global")) clauses.push("G-3");
      if (seen.has("stream")) clauses.push("A-1");
      if (seen.has("state")) clauses.push("S-2");
    } else {
      clauses.push("R-10");
      if (reads.some((node) => this.#isConflict(node))) clauses.push(seen.has("state") ? "S-3" : "A-2");
    }
    const inner = path.some((node) =>
      this.#operations[node]?.some((one) => one.kind === "commit" && one.writes.length > 1),
    );
    if (inner && path.length > 2) clauses.push("W-1");
    return clauses;
  }

  #isConflict(node: number): boolean {
    const [operation] = this.#operations[node] ?? [];
    return (
      operation?.kind === "commit" && operation.outcome.kind === "conflict" && this.#operations[node]?.length === 1
    );
  }

  #isWrite(node: number): boolean {
    return this.#operations[node]?.[0]?.kind === "commit" && !this.#isConflict(node);
  }
}

/** A growing list of 32 bit integers: a third of the memory of an array of numbers. */
class Integers {
  length = 0;
  #values = new Int32Array(16);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }
}

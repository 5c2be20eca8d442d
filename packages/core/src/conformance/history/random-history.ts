import { Random } from "../random.ts";
import type {
  CommitOperation,
  FinalState,
  GlobalMessage,
  HistoryWrite,
  Operation,
  Outcome,
  ReadOperation,
} from "./history.ts";

/** How a random history is made. */
export interface RandomHistoryOptions {
  /** How many clients call at once; 8 unless given. */
  readonly clients?: number;
  /** How many streams, and how many states, there are; 20 unless given. */
  readonly places?: number;
  /** How many of the commits lose their reply, and half of these their commit; 0.03 unless given. */
  readonly lost?: number;
}

/** An operation and what it says, before its times are known. */
type Told = CommitOperation | ReadOperation extends infer One ? Untimed<One> : never;
type Untimed<One> = One extends Operation ? Omit<One, "client" | "called" | "returned"> : never;

/**
 * A history of a store that keeps every promise, with the store's final state: racing clients, stale expectations, lost
 * replies, late writes, repeats. The same arguments give the same history. For tests of checkers, and to measure them.
 */
export function randomHistory(
  seed: number,
  operations: number,
  options: RandomHistoryOptions = {},
): { readonly history: Operation[]; readonly final: FinalState } {
  const clients = new Clients(new Random(seed), options);
  while (clients.history.length < operations) clients.step();
  return { history: clients.history, final: clients.store.final() };
}

/** What the clients do, one operation after the other as they take effect. */
class Clients {
  readonly history: Operation[] = [];
  readonly store = new Model();
  readonly #random: Random;
  readonly #free: number[];
  readonly #names: readonly number[];
  readonly #lost: number;
  readonly #unknown: CommitOperation[] = [];
  #now = 0;
  #made = 0;

  constructor(random: Random, { clients = 8, places = 20, lost = 0.03 }: RandomHistoryOptions) {
    this.#random = random;
    this.#lost = lost;
    this.#free = new Array<number>(clients).fill(0);
    this.#names = Array.from({ length: places }, (_, name) => name);
  }

  step(): void {
    const draw = this.#random.next();
    if (draw < 0.5) this.#commit(this.#writes());
    else if (draw < 0.55) this.#repeat();
    else this.#tell(this.#read());
  }

  /** Its moment is now: it was called a little before, and returns a little later. */
  #tell(told: Told): Operation {
    const client = this.#random.integer(this.#free.length);
    const free = this.#free[client] ?? 0;
    this.#now = Math.max(this.#now, free) + 1 + this.#random.integer(4);
    const called = Math.max(free + 1, this.#now - this.#random.integer(12));
    const returned = this.#now + this.#random.integer(12);
    this.#free[client] = returned;
    const operation = { client: `client ${client}`, called, returned, ...told };
    this.history.push(operation);
    return operation;
  }

  #commit(writes: readonly HistoryWrite[], repeated?: CommitOperation): void {
    const draw = this.#random.next();
    const id = repeated?.commitId ?? (draw < 0.5 ? `commit ${this.#made}` : undefined);
    const base = { kind: "commit", writes, ...(id === undefined ? {} : { commitId: id }) } as const;
    if (draw < 0.02) {
      this.#tell({ ...base, outcome: { kind: "notWritten" } });
    } else if (this.#random.next() < this.#lost) {
      const operation = this.#tell({ ...base, outcome: { kind: "unknown" } }) as CommitOperation;
      if (this.#random.next() < 0.5) this.store.commit(writes);
      else this.#unknown.push(operation);
    } else {
      this.#tell({ ...base, outcome: this.store.commit(writes) });
    }
  }

  /** A call of unknown outcome is made again; or it comes late. */
  #repeat(): void {
    const [operation] = this.#unknown.splice(this.#random.integer(this.#unknown.length), 1);
    if (operation === undefined) return;
    if (operation.commitId === undefined) this.store.commit(operation.writes);
    else this.#commit(operation.writes, operation);
  }

  #writes(): HistoryWrite[] {
    const count = this.#random.next() < 0.8 ? 1 : 2 + this.#random.integer(2);
    const names = new Set(Array.from({ length: count }, () => this.#random.pick(this.#names)));
    const writes = [...names].map((name) => this.#write(name));
    return writes.flatMap((write) => (this.#random.next() < 0.1 ? [write, this.#onTop(write)] : [write]));
  }

  /** One more write to the same place, in the same commit. */
  #onTop(write: HistoryWrite): HistoryWrite {
    const token = this.#token();
    if (write.kind === "append") return { ...write, offset: write.offset + write.tokens.length, tokens: [token] };
    return { kind: "upsert", persistenceId: write.persistenceId, revision: write.revision + 1, token };
  }

  #write(name: number): HistoryWrite {
    const draw = this.#random.next();
    const stale = this.#random.next() < 0.1 ? 1 - this.#random.integer(4) : 0;
    if (draw < 0.6) {
      const stream = `stream ${name}`;
      const tokens = Array.from({ length: 1 + this.#random.integer(3) }, () => this.#token());
      return { kind: "append", stream, offset: Math.max(0, this.store.end(stream) + stale), tokens };
    }
    const persistenceId = `state ${name}`;
    const revision = Math.max(0, this.store.revision(persistenceId) + stale);
    if (draw < 0.65) return { kind: "delete", persistenceId, revision };
    return { kind: "upsert", persistenceId, revision, token: this.#token() };
  }

  #token(): string {
    this.#made += 1;
    return `token ${this.#made}`;
  }

  #read(): Told {
    const stream = `stream ${this.#random.pick(this.#names)}`;
    switch (this.#random.integer(5)) {
      case 0:
        return { kind: "nextOffset", stream, nextOffset: this.store.end(stream) };
      case 1:
        return { kind: "nextGlobalOffset", nextGlobalOffset: this.store.global.length };
      case 2: {
        const from = Math.max(0, this.store.global.length - this.#random.integer(8));
        const messages = this.store.global.slice(from, from + 4);
        return { kind: "readGlobal", from, messages, end: from + 4 >= this.store.global.length };
      }
      case 3: {
        const from = Math.max(0, this.store.end(stream) - this.#random.integer(8));
        const tokens = this.store.streams.get(stream)?.slice(from, from + 4) ?? [];
        return { kind: "readStream", stream, from, tokens, end: from + 4 >= this.store.end(stream) };
      }
      default: {
        const persistenceId = `state ${this.#random.pick(this.#names)}`;
        const revision = this.store.revision(persistenceId);
        return { kind: "load", persistenceId, revision, token: this.store.states.get(persistenceId)?.at(-1) ?? null };
      }
    }
  }
}

/** The contract in a few lines: streams, states with all their revisions, and the order over all. */
class Model {
  readonly streams = new Map<string, string[]>();
  readonly states = new Map<string, (string | null)[]>();
  readonly global: GlobalMessage[] = [];

  end(stream: string): number {
    return this.streams.get(stream)?.length ?? 0;
  }

  revision(persistenceId: string): number {
    return this.states.get(persistenceId)?.length ?? 0;
  }

  commit(writes: readonly HistoryWrite[]): Outcome {
    const seen = new Set<string>();
    for (const [write, one] of writes.entries()) {
      const isAppend = one.kind === "append";
      const place = isAppend ? one.stream : one.persistenceId;
      const actual = isAppend ? this.end(place) : this.revision(place);
      // A second write to a place stands on the first.
      if (!seen.has(place) && actual !== (isAppend ? one.offset : one.revision))
        return { kind: "conflict", write, actual };
      seen.add(place);
    }
    for (const one of writes) this.#apply(one);
    return { kind: "ok" };
  }

  #apply(write: HistoryWrite): void {
    if (write.kind !== "append") {
      listOf(this.states, write.persistenceId).push(write.kind === "upsert" ? write.token : null);
      return;
    }
    const tokens = listOf(this.streams, write.stream);
    for (const token of write.tokens) {
      this.global.push({ globalOffset: this.global.length, stream: write.stream, offset: tokens.length, token });
      tokens.push(token);
    }
  }

  final(): FinalState {
    return {
      streams: [...this.streams].map(([stream, tokens]) => ({ stream, tokens })),
      global: this.global,
      states: [...this.states].map(([persistenceId, revisions]) => ({
        persistenceId,
        revision: revisions.length,
        token: revisions.at(-1) ?? null,
        revisions,
      })),
    };
  }
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

import {
  createEnvelope,
  type Envelope,
  type HoldfastError,
  OffsetConflictError,
  RevisionConflictError,
  type Transaction,
} from "@holdfast/core";
import type { HistoryWrite } from "@holdfast/core/conformance";
import type { Numbers } from "@holdfast/test-kit";
import type { Store } from "./backends.ts";
import { type Ending, type Journal, nowNs } from "./journal.ts";
import { type Marked, marked, tokenOf } from "./message.ts";

/** One write that a turn wants, wherever its stream or state has come to. */
type Wanted =
  | { readonly stream: string; readonly count: number }
  | { readonly persistenceId: string; readonly isDelete: boolean };

/** A write as it is sent, and as the history tells it. */
interface Planned {
  readonly told: HistoryWrite;
  send(target: Pick<Transaction, "messages" | "state">): Promise<unknown>;
}

/** How many writes of all kinds go to names that every writer shares. */
const SHARED = 2;

/** Commits appends, states and transactions, and writes down what it sent and was told. */
export class Writer {
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #name: string;
  readonly #life: string;
  readonly #numbers: Numbers;
  /** The length of the longest filler. */
  readonly #maxFiller: number;
  /** Next offsets and revisions as last heard of. */
  readonly #levels = new Map<string, number>();
  #commits = 0;

  constructor(
    store: Store,
    journal: Journal,
    plan: { readonly name: string; readonly life: string; readonly maxFiller: number; readonly numbers: Numbers },
  ) {
    this.#store = store;
    this.#journal = journal;
    this.#name = plan.name;
    this.#life = plan.life;
    this.#maxFiller = plan.maxFiller;
    this.#numbers = plan.numbers;
  }

  /** One commit. Rejects with what its caller can't go on after; a conflict is none. */
  async turn(lane: number): Promise<void> {
    const own = `${this.#name}-${lane}`;
    const shared = `shared-${this.#numbers.below(SHARED)}`;
    const count = 1 + this.#numbers.below(12);
    const isDelete = this.#numbers.below(6) === 0;
    const both = { persistenceId: shared, isDelete: false };
    switch (this.#numbers.below(8)) {
      case 0:
        return this.#commit([{ stream: shared, count }]);
      case 1:
        return this.#commit([{ persistenceId: own, isDelete }]);
      case 2:
        return this.#commit([{ persistenceId: shared, isDelete }]);
      case 3:
        return this.#commit([{ stream: shared, count: 1 }, both]);
      case 4:
        return this.#commit([{ stream: own, count }, { stream: `${own}-too`, count: 2 }, both]);
      case 5:
        this.#levels.clear();
        return this.#commit([
          { stream: own, count: 1 },
          { persistenceId: own, isDelete },
        ]);
      default:
        return this.#commit([{ stream: own, count }]);
    }
  }

  async #commit(wanted: readonly Wanted[]): Promise<void> {
    const commit = `${this.#life}.${this.#name}.${this.#commits++}`;
    const planned: Planned[] = [];
    for (const [index, each] of wanted.entries()) planned.push(await this.#plan(each, `${commit}.${index}`));
    const told = planned.map((each) => each.told);
    const call = this.#journal.called(told);
    try {
      await this.#send(planned);
    } catch (error) {
      const ending = endingOf(error, told);
      this.#journal.returned(call, ending);
      if (ending.outcome.kind !== "conflict") throw error;
      const clashed = told[ending.outcome.write];
      if (clashed !== undefined) this.#levels.set(keyOf(clashed), ending.outcome.actual);
      return;
    }
    this.#journal.returned(call, { outcome: { kind: "ok" } });
    for (const write of told) this.#levels.set(keyOf(write), levelAfter(write));
  }

  #send(planned: readonly Planned[]): Promise<unknown> {
    const [only] = planned;
    if (planned.length === 1 && only !== undefined) return only.send(this.#store);
    return this.#store.transaction((tx) => {
      for (const each of planned) void each.send(tx);
    });
  }

  async #plan(wanted: Wanted, name: string): Promise<Planned> {
    if ("stream" in wanted) {
      const { stream, count } = wanted;
      const offset = await this.#nextOffset(stream);
      const data = Array.from({ length: count }, (_, index) => this.#marked(`${name}.${index}`));
      const messages = data.map((each) => createEnvelope({ type: "Written", data: each }) satisfies Envelope<Marked>);
      return {
        told: { kind: "append", stream, offset, tokens: data.map((each) => each.token) },
        send: (target) => target.messages.appendMessages(stream, offset, messages),
      };
    }
    const { persistenceId, isDelete } = wanted;
    const revision = await this.#revision(persistenceId);
    if (isDelete) {
      return {
        told: { kind: "delete", persistenceId, revision },
        send: (target) => target.state.delete(persistenceId, revision),
      };
    }
    const state = this.#marked(name);
    return {
      told: { kind: "upsert", persistenceId, revision, token: state.token },
      send: (target) => target.state.upsert(persistenceId, revision, state),
    };
  }

  /** Mostly short ones; a few fill several pages. */
  #marked(name: string): Marked {
    const isLong = this.#numbers.below(20) === 0;
    return marked(name, this.#numbers.below(isLong ? this.#maxFiller : Math.min(300, this.#maxFiller)));
  }

  async #nextOffset(stream: string): Promise<number> {
    const known = this.#levels.get(`append ${stream}`);
    if (known !== undefined) return known;
    const called = nowNs();
    const nextOffset = await this.#store.messages.nextOffset(stream);
    this.#journal.given(called, { kind: "nextOffset", stream, nextOffset });
    return nextOffset;
  }

  async #revision(persistenceId: string): Promise<number> {
    const known = this.#levels.get(`state ${persistenceId}`);
    if (known !== undefined) return known;
    return load(this.#store, this.#journal, persistenceId);
  }
}

/** Loads a state, writes down what it was given, and gives its revision. */
export async function load(store: Store, journal: Journal, persistenceId: string): Promise<number> {
  const called = nowNs();
  const { revision, state } = await store.state.load(persistenceId);
  const token = state === undefined ? null : tokenOf(state);
  journal.given(called, { kind: "load", persistenceId, revision, token });
  return revision;
}

function keyOf(write: HistoryWrite): string {
  return write.kind === "append" ? `append ${write.stream}` : `state ${write.persistenceId}`;
}

function levelAfter(write: HistoryWrite): number {
  return write.kind === "append" ? write.offset + write.tokens.length : write.revision + 1;
}

function endingOf(error: unknown, writes: readonly HistoryWrite[]): Ending {
  if (error instanceof OffsetConflictError) {
    const write = writes.findIndex((each) => each.kind === "append" && each.stream === error.stream);
    return { outcome: { kind: "conflict", write, actual: error.nextOffset } };
  }
  if (error instanceof RevisionConflictError) {
    const write = writes.findIndex((each) => each.kind !== "append" && each.persistenceId === error.persistenceId);
    return { outcome: { kind: "conflict", write, actual: error.actualRevision } };
  }
  const { code, message } = error as HoldfastError;
  return {
    outcome: { kind: code === "HOLDFAST_OUTCOME_UNKNOWN" ? "unknown" : "notWritten" },
    error: `${code}: ${message}`,
  };
}

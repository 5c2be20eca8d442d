import type { DataStore, Transaction } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import type { GloballyOrderedMessageStore } from "../../contract/message-store.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import type { CommitOperation, GlobalMessage, HistoryWrite, Operation, Outcome } from "./history.ts";
import { outcomeOf } from "./outcome.ts";

/** What a recorder writes as a state: its token, and what the caller wants to be in it. */
interface RecordedState {
  readonly token: string;
  readonly value: unknown;
}

/** A transaction whose writes are recorded. Its reads are not: they are live reads, and promise less (W-11). */
export interface RecordedTransaction {
  append(stream: string, offset: number, count?: number): Promise<void>;
  upsert(persistenceId: string, revision: number, value?: unknown): Promise<void>;
  delete(persistenceId: string, revision: number): Promise<void>;
  nextOffset(stream: string): Promise<number>;
  load(persistenceId: string): Promise<{ readonly revision: number; readonly value: unknown }>;
}

/** How a recorder tells of its operations. */
export interface RecorderOptions {
  /** Waited for before a write is sent, with the operation as it is if its caller now dies. */
  readonly sending?: (operation: CommitOperation) => Promise<void>;
  /** Each operation once it is over. */
  readonly done?: (operation: Operation) => void;
}

/**
 * One client of a store, who writes down what it asked and what it was told. One call at a time: clients that race are
 * several recorders, in one process or in many. A write gives its outcome; whatever is no outcome of the contract is
 * thrown. A read that fails is thrown, and not recorded.
 */
export class Recorder {
  readonly history: Operation[] = [];
  readonly #store: DataStore;
  readonly #client: string;
  readonly #options: RecorderOptions;
  #made = 0;

  /** `client` names it in the history, and begins its tokens: no two recorders of a store have the same. */
  constructor(store: DataStore, client: string, options: RecorderOptions = {}) {
    this.#store = store;
    this.#client = client;
    this.#options = options;
  }

  /** A name that no other message, state or commit has. */
  token(): string {
    this.#made += 1;
    return `${this.#client}-${this.#made}`;
  }

  append(stream: string, offset: number, count = 1): Promise<Outcome> {
    return this.write({ kind: "append", stream, offset, tokens: Array.from({ length: count }, () => this.token()) });
  }

  upsert(persistenceId: string, revision: number, value: unknown = null): Promise<Outcome> {
    return this.write({ kind: "upsert", persistenceId, revision, token: this.token() }, { value });
  }

  delete(persistenceId: string, revision: number): Promise<Outcome> {
    return this.write({ kind: "delete", persistenceId, revision });
  }

  /** A single write as it is: again with the same `commitId` it is a repeat. */
  write(write: HistoryWrite, options: { readonly commitId?: string; readonly value?: unknown } = {}): Promise<Outcome> {
    const { commitId = this.token(), value = null } = options;
    const { messages, state } = this.#store;
    return this.#commit([write], commitId, () => {
      if (write.kind === "append")
        return messages.appendMessages(write.stream, write.offset, write.tokens.map(envelope), { commitId });
      if (write.kind === "delete") return state.delete(write.persistenceId, write.revision, { commitId });
      const recorded: RecordedState = { token: write.token, value };
      return state.upsert(write.persistenceId, write.revision, recorded, { commitId });
    });
  }

  /** These writes in one transaction, in order. */
  writeTogether(writes: readonly HistoryWrite[]): Promise<Outcome> {
    const commitId = this.token();
    return this.#commit(writes, commitId, () =>
      this.#store.transaction(
        async ({ messages, state }) => {
          for (const write of writes) {
            if (write.kind === "append")
              await messages.appendMessages(write.stream, write.offset, write.tokens.map(envelope));
            else if (write.kind === "delete") await state.delete(write.persistenceId, write.revision);
            else {
              const recorded: RecordedState = { token: write.token, value: null };
              await state.upsert(write.persistenceId, write.revision, recorded);
            }
          }
        },
        { commitId },
      ),
    );
  }

  /** Runs `work` in a transaction; one that writes nothing is not recorded. */
  transact(work: (tx: RecordedTransaction) => Promise<void>): Promise<Outcome> {
    const writes: HistoryWrite[] = [];
    const commitId = this.token();
    return this.#commit(writes, commitId, (sending) =>
      this.#store.transaction(
        async (tx) => {
          await work(this.#recording(tx, writes));
          await sending();
        },
        { commitId },
      ),
    );
  }

  async nextOffset(stream: string): Promise<number> {
    const called = now();
    const nextOffset = await this.#store.messages.nextOffset(stream);
    this.#done({ client: this.#client, called, returned: now(), kind: "nextOffset", stream, nextOffset });
    return nextOffset;
  }

  /** At most `count` messages from `from` on. */
  async readStream(stream: string, from: number, count: number): Promise<void> {
    const called = now();
    const cursor = await this.#store.messages.followStream(stream, from);
    try {
      const { found, end } = await take(cursor, count);
      const tokens = found.map(({ token }) => token);
      this.#done({ client: this.#client, called, returned: now(), kind: "readStream", stream, from, tokens, end });
    } finally {
      await cursor.close();
    }
  }

  /** At most `count` messages of the whole store; `cursor` stands before the one at `from`. Gives where it stands then. */
  async readGlobal(cursor: MessageStream, from: number, count: number): Promise<number> {
    const called = now();
    const { found, end } = await take(cursor, count);
    this.#done({ client: this.#client, called, returned: now(), kind: "readGlobal", from, messages: found, end });
    return from + found.length;
  }

  async nextGlobalOffset(messages: GloballyOrderedMessageStore): Promise<void> {
    const called = now();
    const nextGlobalOffset = await messages.nextGlobalOffset();
    this.#done({ client: this.#client, called, returned: now(), kind: "nextGlobalOffset", nextGlobalOffset });
  }

  async load(persistenceId: string): Promise<{ readonly revision: number; readonly value: unknown }> {
    const called = now();
    const { revision, state } = await this.#store.state.load<RecordedState>(persistenceId);
    const token = state?.token ?? null;
    this.#done({ client: this.#client, called, returned: now(), kind: "load", persistenceId, revision, token });
    return { revision, value: state?.value };
  }

  #recording({ messages, state }: Transaction, writes: HistoryWrite[]): RecordedTransaction {
    return {
      append: async (stream, offset, count = 1) => {
        const tokens = Array.from({ length: count }, () => this.token());
        writes.push({ kind: "append", stream, offset, tokens });
        await messages.appendMessages(stream, offset, tokens.map(envelope));
      },
      upsert: async (persistenceId, revision, value = null) => {
        const token = this.token();
        writes.push({ kind: "upsert", persistenceId, revision, token });
        await state.upsert<RecordedState>(persistenceId, revision, { token, value });
      },
      delete: async (persistenceId, revision) => {
        writes.push({ kind: "delete", persistenceId, revision });
        await state.delete(persistenceId, revision);
      },
      nextOffset: (stream) => messages.nextOffset(stream),
      load: async (persistenceId) => {
        const loaded = await state.load<RecordedState>(persistenceId);
        return { revision: loaded.revision, value: loaded.state?.value };
      },
    };
  }

  async #commit(
    writes: readonly HistoryWrite[],
    commitId: string,
    call: (sending: () => Promise<void>) => Promise<unknown>,
  ): Promise<Outcome> {
    const base = { client: this.#client, kind: "commit", commitId, writes } as const;
    const sending = async () => {
      const at = now();
      await this.#options.sending?.({ ...base, called: at, returned: at, outcome: { kind: "unknown" } });
    };
    if (writes.length > 0) await sending();
    const called = now();
    const outcome = await outcomeOf(call(sending), writes);
    if (writes.length > 0) this.#done({ ...base, called, returned: now(), outcome });
    return outcome;
  }

  #done(operation: Operation): void {
    this.history.push(operation);
    this.#options.done?.(operation);
  }
}

/** The message of a token. */
function envelope(token: string): Envelope {
  return { id: token, type: "Tested", data: token, createdAt: "2024-02-29T12:00:00Z" };
}

/** Nanoseconds of the machine's monotonic clock, the same for all processes on it. */
function now(): number {
  return Number(process.hrtime.bigint());
}

async function take(cursor: MessageStream, count: number): Promise<{ found: GlobalMessage[]; end: boolean }> {
  const found: GlobalMessage[] = [];
  while (found.length < count) {
    if (!(await cursor.tryNext())) return { found, end: true };
    const { id, stream, offset, globalOffset = -1 } = cursor.get();
    found.push({ globalOffset, stream, offset, token: id });
  }
  return { found, end: false };
}

import { randomUUID } from "node:crypto";
import type { Capabilities, DataStore, Transaction } from "../../src/contract/data-store.ts";
import type { DurableStateStore, StateAccess } from "../../src/contract/durable-state-store.ts";
import type { Envelope } from "../../src/contract/envelope.ts";
import { InvalidArgumentError, InvalidStateError, UnsupportedError } from "../../src/contract/errors.ts";
import type { GloballyOrderedMessageStore, MessageStore } from "../../src/contract/message-store.ts";
import type { ReadOptions, WriteOptions } from "../../src/contract/options.ts";
import { MapCursor } from "./cursor.ts";
import { contentOf, Log, type Write } from "./log.ts";
import { MapTransaction } from "./transaction.ts";
import { checkCount, checkName, checkOptions, keepState } from "./values.ts";
import { appendWrite, checkSize, stateWrite } from "./writes.ts";

type ListOptions = ReadOptions & { readonly prefix?: string | undefined };

/** A DataStore written whole against the public interfaces: it shares nothing with core's engine but the errors. */
export class MapDataStore implements DataStore {
  readonly id = randomUUID();
  readonly capabilities: Capabilities;
  readonly messages: MessageStore | GloballyOrderedMessageStore;
  readonly state: DurableStateStore;
  readonly #log = new Log();
  readonly #cursors = new Set<MapCursor<Envelope>>();
  readonly #running = new Set<(reason: unknown) => void>();
  #closed = false;

  constructor(powers: Pick<Capabilities, "globalOrder" | "transactions">) {
    this.capabilities = { ...powers, durable: false, noticeMs: 0 };
    const messages: MessageStore = {
      appendMessages: async (stream, offset, envelopes, options) =>
        void this.#one(() => appendWrite(stream, offset, envelopes), options),
      openStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) => {
        const cursor = () => this.#cursor<E>(stream, offset, options);
        this.#check(() => [checkName(stream, "stream"), checkCount(offset, "offset")], options);
        return this.#log.streams.has(stream) ? cursor() : undefined;
      },
      followStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) => {
        this.#check(() => [checkName(stream, "stream"), checkCount(offset, "offset")], options);
        return this.#cursor<E>(stream, offset, options);
      },
      nextOffset: async (stream, options) => {
        this.#check(() => checkName(stream, "stream"), options);
        return this.#log.position({ kind: "append", key: stream });
      },
      listStreams: (options) => this.#listStreams(options),
    };
    this.messages = powers.globalOrder ? Object.assign(messages, this.#global()) : messages;
    this.state = { ...this.#stateAccess(), listPersistenceIds: (options) => this.#listIds(options) };
  }

  async transaction<T>(work: (tx: Transaction) => T | PromiseLike<T>, options?: WriteOptions): Promise<T> {
    this.#check(() => {
      if (typeof work !== "function") throw new InvalidArgumentError("work must be a function");
    }, options);
    const tx = new MapTransaction(this.#log, () => this.#throwIfClosed());
    const result = await this.#untilEnded(work, tx, options?.signal);
    if (this.capabilities.transactions === "key" && new Set(tx.writes.map((one) => one.kind + one.key)).size > 1) {
      throw new UnsupportedError("a commit writes one key here");
    }
    if (tx.writes.length > 0) this.#commit(tx.writes, options);
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cursor of [...this.#cursors]) await cursor.close();
    for (const reject of this.#running) reject(closedError());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What `work` gives, unless the store closes or the signal aborts first, or one of the writes was refused. */
  async #untilEnded<T>(
    work: (tx: Transaction) => T | PromiseLike<T>,
    tx: MapTransaction,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let cut: (reason: unknown) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      cut = reject;
    });
    const abort = () => cut(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#running.add(cut);
    try {
      const settled = (async () => work(tx))().then(
        (value) => () => value,
        (error: unknown) => () => {
          throw error;
        },
      );
      const outcome = await Promise.race([settled, ended]);
      tx.throwIfRefused();
      return outcome();
    } finally {
      tx.end();
      this.#running.delete(cut);
      signal?.removeEventListener("abort", abort);
    }
  }

  #global(): Pick<GloballyOrderedMessageStore, "openGlobal" | "nextGlobalOffset"> {
    return {
      openGlobal: async <E extends Envelope>(offset: number, options?: ReadOptions) => {
        this.#check(() => checkCount(offset, "offset"), options);
        return this.#cursor<E>(undefined, offset, options);
      },
      nextGlobalOffset: async (options) => {
        this.#check(() => undefined, options);
        return this.#log.order.length;
      },
    };
  }

  #stateAccess(): StateAccess {
    return {
      load: async <S>(id: string, options?: ReadOptions) => {
        this.#check(() => checkName(id, "persistenceId"), options);
        const { revision, state, updatedAt } = this.#log.state(id);
        const value = state === undefined ? undefined : (JSON.parse(state) as S);
        return { persistenceId: id, revision, state: value, updatedAt };
      },
      upsert: async <S>(id: string, expected: number, state: S, options?: WriteOptions) => {
        const write = this.#one(() => stateWrite(id, expected, keepState(state)), options);
        const stored = JSON.parse(write.kind === "state" ? (write.state ?? "null") : "null") as S;
        return { persistenceId: id, revision: expected + 1, state: stored, updatedAt: new Date().toISOString() };
      },
      delete: async (id, expected, options) => {
        this.#one(() => stateWrite(id, expected, undefined), options);
        const updatedAt = new Date().toISOString();
        return { persistenceId: id, revision: expected + 1, state: undefined, updatedAt };
      },
    };
  }

  #one(make: () => Write, options: WriteOptions | undefined): Write {
    this.#throwIfClosed();
    const write = make();
    checkOptions(options);
    this.#commit([write], options);
    return write;
  }

  #commit(writes: readonly Write[], options: WriteOptions | undefined): void {
    checkSize(writes);
    this.#log.commit(writes, { commitId: options?.commitId ?? randomUUID(), content: contentOf(writes) });
    for (const cursor of [...this.#cursors]) cursor.wake();
  }

  #cursor<E extends Envelope>(stream: string | undefined, offset: number, options?: ReadOptions): MapCursor<E> {
    const { globalOrder } = this.capabilities;
    const log = this.#log;
    const messages = () => (stream === undefined ? log.order : log.streams.get(stream));
    const cursors = this.#cursors as unknown as Set<MapCursor<E>>;
    return new MapCursor<E>(
      { at: (at) => log.recorded<E>(messages()?.[at], globalOrder), cursors },
      offset,
      options?.signal,
    );
  }

  async *#listStreams(options: ListOptions | undefined) {
    this.#check(() => undefined, options);
    for (const [stream, { length }] of [...this.#log.streams]) {
      this.#check(() => undefined, options);
      if (stream.startsWith(options?.prefix ?? "")) yield { stream, nextOffset: length };
    }
  }

  async *#listIds(options: ListOptions | undefined) {
    this.#check(() => undefined, options);
    for (const [id, { state }] of [...this.#log.states]) {
      this.#check(() => undefined, options);
      if (state !== undefined && id.startsWith(options?.prefix ?? "")) yield id;
    }
  }

  #check(args: () => unknown, options: (WriteOptions & ListOptions) | undefined): void {
    this.#throwIfClosed();
    args();
    checkOptions(options);
  }

  #throwIfClosed(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): InvalidStateError {
  return new InvalidStateError("the store is closed", { code: "HOLDFAST_CLOSED" });
}

import type { DurableStateStore, StateAccess } from "./durable-state-store.ts";
import type { GloballyOrderedMessageStore, MessageStore } from "./message-store.ts";
import type { WriteOptions } from "./options.ts";

/** What a backend can do, true for as long as the store is open. */
export interface Capabilities {
  /** `messages` is a {@link GloballyOrderedMessageStore}. */
  readonly globalOrder: boolean;
  /** "store": a commit may write any streams and states together. "key": one stream or one persistence id a commit. */
  readonly transactions: "store" | "key";
  /** false: the data dies with its process. */
  readonly durable: boolean;
  /** How soon a waiting reader hears of another process's write, in milliseconds, at the median. */
  readonly noticeMs: number;
}

/**
 * One open connection to one backend: streams of messages, durable states, and transactions over both.
 *
 * Writes called through one DataStore to one stream or persistence id take effect in the order called. Where
 * `capabilities.transactions` is "key", no write waits for writes to other keys. Writes that are called while others are
 * on their way wait, and are sent together; more than 256 MiB of them at once are refused with UnavailableError, so that
 * a caller that never awaits does not fill the memory.
 */
export interface DataStore<M extends MessageStore = MessageStore> extends AsyncDisposable {
  /** Made at random when the store is first created, kept in the backend, the same for every process that opens it. */
  readonly id: string;
  readonly messages: M;
  readonly state: DurableStateStore;
  readonly capabilities: Capabilities;

  /**
   * Runs `work`, then commits all that it wrote as one atomic commit; resolves with what `work` returned once the
   * commit is durable. Nothing is written when `work` or the commit rejects. A transaction that wrote nothing sends
   * nothing.
   *
   * Rejects with what `work` threw; with the first error that one of its writes met (even if `work` caught it); with
   * OffsetConflictError or RevisionConflictError for the first write that clashes with the store; with
   * UnsupportedError for two keys where transactions are "key"; with OutcomeUnknownError if the reply was lost.
   * To retry after an unknown outcome use the error's `settle`, not a second run of `work`.
   *
   * At most 8 MiB and 10,000 messages and state writes a commit.
   */
  transaction<T>(work: (tx: Transaction) => T | PromiseLike<T>, options?: WriteOptions): Promise<T>;

  /**
   * Closes the store; calling it again is the same. Writes already called finish within `settleTimeoutMs`, waiting
   * readers and running transactions reject with HOLDFAST_CLOSED, and files, sockets and timers are freed. After it
   * every call rejects with HOLDFAST_CLOSED.
   */
  close(): Promise<void>;
}

/**
 * A view of the store whose writes are held back and committed together, in order, each on top of the earlier ones.
 * Valid until `work` settles; after that every call rejects with HOLDFAST_TRANSACTION_ENDED.
 *
 * Reads are live reads overlaid with the transaction's own writes: not a snapshot, and not checked at the commit. Only
 * the records and streams that the transaction writes are guarded, by their expected offsets and revisions.
 */
export interface Transaction {
  /** `nextOffset` counts the transaction's own appends. */
  readonly messages: Pick<MessageStore, "appendMessages" | "nextOffset">;
  /** So `new DurableStateOffsetStore(tx.state)` works inside a transaction: load there first, and write only if it is the position you started from. */
  readonly state: StateAccess;
}

/** Whether the store keeps one global order over all its streams; narrows the type of `store.messages`. */
export function hasGlobalOrder(store: DataStore): store is DataStore<GloballyOrderedMessageStore> {
  return store.capabilities.globalOrder;
}

import type { Commit, CommitOutcome } from "./commit.ts";

/** Where a read stops: at whichever comes first. A read that finds anything gives at least one record, however large. */
export interface ReadLimit {
  readonly maxRecords: number;
  /** Counted roughly, in bytes or characters of the records. */
  readonly maxBytes: number;
}

/** A message as the driver keeps it. */
export interface StoredMessage {
  readonly stream: string;
  readonly offset: number;
  /** undefined where the driver keeps no global order. */
  readonly globalOffset: number | undefined;
  /** As it was given in the append. */
  readonly record: string;
}

/** A state as the driver keeps it, deleted ones included. */
export interface StoredState {
  readonly revision: number;
  /** As it was given in the write of this revision. */
  readonly record: string;
}

/** One page of a listing. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; undefined at the end. Opaque to core. */
  readonly next: string | undefined;
}

/**
 * All that a backend must do: keep records, and judge preconditions atomically. Core does the rest, once for all
 * backends: argument checks, encoding, checksums, waiting, cancelling, grouping, settling of lost replies, transactions
 * and the public errors.
 *
 * Names are well-formed Unicode, 1 to 512 bytes in UTF-8, and are kept apart byte by byte: no case folding, no
 * normalising. Offsets and revisions are safe integers >= 0.
 *
 * Every read sees all that was committed, by anyone, before it was called; it never goes backwards, and gives only what
 * survives what the backend promises to survive. Reads reject with a {@link DriverFailure}; `commit` never rejects.
 * All methods may be called concurrently, but for `commit`: core calls it once at a time for a store ("store"), or for a
 * key ("key").
 */
export interface StoreDriver {
  /** Made at random when the store was created and kept in it. */
  readonly storeId: string;
  readonly transactions: "store" | "key";
  /** false: the data dies with its process. */
  readonly durable: boolean;
  /** How soon another process's commit is noticed at the median while readers wait, in milliseconds; 0 where no other process can write. */
  readonly noticeMs: number;
  /** Core hands over groups below this many bytes; a larger commit travels alone. */
  readonly maxGroupBytes: number;

  /**
   * Applies each commit on its own, atomically, in order, judging each against the state that the earlier ones left;
   * a refused one does not touch its neighbours. One outcome for each commit, in order.
   *
   * Retries only what the backend's protocol needs (a lost race, a busy lock), and returns by `deadline`, a moment of
   * `performance.now()` in milliseconds, with what it knows by then. In transactions of kind "key" all the commits of a
   * call write one and the same key.
   */
  commit(commits: readonly Commit[], deadline: number): Promise<readonly CommitOutcome[]>;

  /** The stream's next unused offset: 0 where it does not exist. */
  nextOffset(stream: string): Promise<number>;
  /** The messages from offset `from` on, dense; empty where there are none (yet). */
  readStream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]>;
  /** undefined where the id was never written. */
  readState(persistenceId: string): Promise<StoredState | undefined>;
  /**
   * The receipt of that revision, as it was given in the write. Kept for the newest revision and the eight before it;
   * undefined for older ones, and for revisions that do not exist. Only a repeated or lost write asks for it.
   */
  readReceipt(persistenceId: string, revision: number): Promise<string | undefined>;

  /** Streams whose names begin with `prefix`; `after` is the `next` of the page before. All that existed before the first page are given, each once. */
  listStreams(
    prefix: string,
    after: string | undefined,
  ): Promise<Page<{ readonly stream: string; readonly nextOffset: number }>>;
  /** Ids with a live state, likewise. */
  listStates(prefix: string, after: string | undefined): Promise<Page<string>>;

  /**
   * Calls `wake` soon after anything may have been committed by another process; a wake too many is harmless. Called
   * when the first reader begins to wait; the function it gives ends it. Optional: core looks again by itself every
   * `noticeMs` while readers wait, and this makes it sooner.
   */
  watch?(wake: () => void): () => void;
  /**
   * Whether anything may have been committed, by anyone, since the last call: one cheap question for all waiting
   * readers. Optional: without it each waiting reader reads.
   */
  changed?(): Promise<boolean>;

  /** Called once, when no other call is pending. Frees files, sockets and timers. */
  close(): Promise<void>;
}

/** A driver that keeps all its messages in one order as well: `globalOffset` is dense from 0 over the whole store. */
export interface GloballyOrderedDriver extends StoreDriver {
  nextGlobalOffset(): Promise<number>;
  /** The messages from global offset `from` on, dense; empty where there are none (yet). */
  readGlobal(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]>;
}

/** A driver is globally ordered if it can read that order. */
export function isGloballyOrdered(driver: StoreDriver): driver is GloballyOrderedDriver {
  return "readGlobal" in driver;
}

/**
 * Where a block lies in a log. Only the log knows what the number means; the engine compares positions and hands them
 * back. A later block has a greater position. A safe integer >= 0.
 */
export type Position = number;

/** One block, as it was appended. */
export interface LogBlock {
  readonly position: Position;
  readonly bytes: Uint8Array;
}

/** Blocks that follow each other. */
export interface LogPage {
  readonly blocks: readonly LogBlock[];
  /** Where the next read begins: behind the last block of this page, or where the read began if there was none. */
  readonly next: Position;
  /** The limit ended the page: there may be more. false: nothing more lay there when the read was called. */
  readonly more: boolean;
}

/** What became of a block. */
export type Appended =
  /** It is in the log, whole, behind all that was there when the append was called, and would survive a power cut. */
  | { readonly kind: "appended" }
  /** No copy of it is in the log or ever will be. A cause that is a DriverFailure says what kind. */
  | { readonly kind: "notWritten"; readonly cause: unknown }
  /** It may be there, or may land later. The engine appends nothing else before it appended these same bytes to a definite end. */
  | { readonly kind: "uncertain"; readonly cause: unknown }
  /** As uncertain, and this log must be opened again before anything is written: a sync to disk failed. */
  | { readonly kind: "reopen"; readonly cause: unknown };

/** How far the log was known to be durable, and what it held up to there. */
export interface Witness {
  /** Of the last block. */
  readonly position: Position;
  /** The engine's running checksum over all blocks up to this one. */
  readonly chain: number;
}

/**
 * A log of blocks in one order that everybody sees: all that a backend must be for the engine to make a
 * {@link GloballyOrderedDriver} of it.
 *
 * Any number of processes append to one log; the log alone decides where a block comes to lie. A block is at most
 * {@link maxGroupBytes} and some, or, where one commit is larger, about 24 MiB. What blocks mean is the engine's business.
 *
 * Reads reject with a {@link DriverFailure}; `append` never rejects. The engine calls `append` once at a time; all else
 * may be called concurrently.
 */
export interface CommitLog {
  /** Made at random when the log was created and kept with it. */
  readonly storeId: string;
  /** false: the data dies with its process. */
  readonly durable: boolean;
  /** How soon another process's append is noticed at the median while readers wait, in milliseconds. */
  readonly noticeMs: number;
  /** Groups of commits are kept below this many bytes; a larger commit travels alone. */
  readonly maxGroupBytes: number;
  /** Where the first block of a new log lies. */
  readonly start: Position;
  /** After so many blocks or bytes behind the newest checkpoint the engine merges; `bytes` is about how large a segment gets. */
  readonly mergeAfter: { readonly blocks: number; readonly bytes: number };

  /**
   * Appends one block. Returns by `deadline`, a moment of `performance.now()`: "notWritten" if by then only others got
   * through, "uncertain" if a reply is still out.
   *
   * The same bytes given again after "uncertain" are settled where the first try may still land, before they are tried
   * anywhere else: of one block there are never two copies that may yet land.
   */
  append(block: Uint8Array, deadline: number): Promise<Appended>;

  /**
   * The blocks from `from` on, `from` being {@link start}, or the `next` of an earlier page, or the position of a block:
   * all that lay there when the read was called, up to about `maxBytes`, and at least one if there was any. Only blocks
   * that would survive a power cut. "merged": they were merged away, and the newest checkpoint says where their commits
   * are.
   */
  read(from: Position, maxBytes: number): Promise<LogPage | "merged">;

  /** `length` bytes of the block at `position`, from its byte `offset` on. "merged" as in {@link read}. */
  readBytes(position: Position, offset: number, length: number): Promise<Uint8Array | "merged">;

  /** Where merged blocks go. Without it nothing is merged: every open reads the whole log. */
  readonly archive?: Archive;
  /**
   * The blocks in front of `position` are in the archive: their room may be freed, their names never. A writer that slept
   * since before must still find its place taken, and by whom.
   */
  forget?(position: Position): Promise<void>;

  /** Told after each advance what is durable now; cheap, and may be lost. Where it is kept, damage to the very end of the log is found out. */
  bearWitness?(witness: Witness): void;
  /** The newest witness kept, as an open found it. */
  readonly witness?: Witness | undefined;

  /** Calls `wake` soon after another process may have appended; a wake too many is harmless. The function it gives ends it. */
  watch?(wake: () => void): () => void;

  /** Called once, when no other call is pending. Frees files, sockets and timers. */
  close(): Promise<void>;
}

/** A checkpoint as the archive keeps it. */
export interface StoredCheckpoint {
  /** Names this version of the checkpoint; opaque to the engine. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Keeps merged segments, under names that the engine makes and never uses twice, and one checkpoint, which is replaced. */
export interface Archive {
  /** A segment of `pieces`, behind each other. Durable when it resolves. A segment never changes. */
  writeSegment(name: string, pieces: readonly Uint8Array[]): Promise<void>;
  /** undefined: there is no segment of this name. Fewer bytes than asked for only at its end. */
  readSegment(name: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  removeSegment(name: string): Promise<void>;
  /** The names of all segments, in any order. For rebuilding a lost checkpoint and for clearing away what nobody names. */
  listSegments(): Promise<readonly string[]>;

  /** The newest checkpoint; undefined where there is none. */
  readCheckpoint(): Promise<StoredCheckpoint | undefined>;
  /**
   * Replaces the checkpoint if `expected` is its version still (undefined: there is none). Durable when it resolves.
   * false: another was there first; that may be our own first copy, where a transport repeats requests.
   */
  replaceCheckpoint(expected: string | undefined, bytes: Uint8Array): Promise<boolean>;
}

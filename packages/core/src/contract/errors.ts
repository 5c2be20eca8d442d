import type { ReadOptions } from "./options.ts";

/** The cause of an error, where there is one: reduced to name, code and a scrubbed message before it is kept. */
export interface ErrorDetails {
  readonly cause?: unknown;
}

/**
 * The base of every error that Holdfast makes: typed, with a stable `code`, free of payloads and secrets.
 *
 * What a signal's abort rejects with is the signal's own reason, and what a caller's function throws is passed on as
 * it is; everything else is one of the classes below.
 */
export class HoldfastError extends Error {
  override readonly name: string = "HoldfastError";
  /** Stable across releases and backends: test this, never the message. */
  readonly code: string;

  constructor(message: string, details: ErrorDetails & { readonly code: string }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
  }
}

/** A bad name, offset, revision, value, size or option. Nothing was sent, nothing was written: correct the call. */
export class InvalidArgumentError extends HoldfastError {
  override readonly name = "InvalidArgumentError";
  declare readonly code: "HOLDFAST_INVALID_ARGUMENT";

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: "HOLDFAST_INVALID_ARGUMENT" });
  }
}

/** Which state forbids the call. */
export type InvalidStateCode =
  /** The store or cursor is closed. */
  | "HOLDFAST_CLOSED"
  /** The cursor has a `next` or `tryNext` pending. */
  | "HOLDFAST_BUSY"
  /** The cursor is before its first message. */
  | "HOLDFAST_NO_MESSAGE"
  /** The transaction's `work` has settled, or its signal was aborted. */
  | "HOLDFAST_TRANSACTION_ENDED"
  /** An earlier sync to disk failed: close this store and open it again. */
  | "HOLDFAST_REOPEN";

/** The object can't do this now. Nothing was written; `code` says which state it is in. */
export class InvalidStateError extends HoldfastError {
  override readonly name = "InvalidStateError";
  declare readonly code: InvalidStateCode;

  constructor(message: string, details: ErrorDetails & { readonly code: InvalidStateCode }) {
    super(message, details);
  }
}

/**
 * `offset` is not the next unused offset of `stream`: it is taken, or lies beyond the end. Nothing that this call sent
 * is there or ever will be. Read from `nextOffset`'s neighbourhood, decide again, and append at `nextOffset`.
 */
export class OffsetConflictError extends HoldfastError {
  override readonly name = "OffsetConflictError";
  declare readonly code: "HOLDFAST_OFFSET_CONFLICT";
  readonly stream: string;
  /** The offset that was asked for. */
  readonly offset: number;
  /** The stream's next unused offset when the append was judged. */
  readonly nextOffset: number;

  constructor(
    message: string,
    details: ErrorDetails & { readonly stream: string; readonly offset: number; readonly nextOffset: number },
  ) {
    super(message, { cause: details.cause, code: "HOLDFAST_OFFSET_CONFLICT" });
    this.stream = details.stream;
    this.offset = details.offset;
    this.nextOffset = details.nextOffset;
  }
}

/**
 * `expectedRevision` is not the stored revision of `persistenceId`. Nothing that this call sent is there or ever will
 * be. Load, decide again, and write with the loaded revision.
 */
export class RevisionConflictError extends HoldfastError {
  override readonly name = "RevisionConflictError";
  declare readonly code: "HOLDFAST_REVISION_CONFLICT";
  readonly persistenceId: string;
  readonly expectedRevision: number;
  /** The stored revision when the write was judged. */
  readonly actualRevision: number;

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly persistenceId: string;
      readonly expectedRevision: number;
      readonly actualRevision: number;
    },
  ) {
    super(message, { cause: details.cause, code: "HOLDFAST_REVISION_CONFLICT" });
    this.persistenceId = details.persistenceId;
    this.expectedRevision = details.expectedRevision;
    this.actualRevision = details.actualRevision;
  }
}

/**
 * The write may or may not be there, and may still take effect later, at most once: the only error that leaves the
 * outcome open. Ask `settle`, or repeat the single write with the same `commitId`.
 */
export class OutcomeUnknownError extends HoldfastError {
  override readonly name = "OutcomeUnknownError";
  declare readonly code: "HOLDFAST_OUTCOME_UNKNOWN";
  readonly commitId: string;
  readonly #settle: (options?: ReadOptions) => Promise<boolean>;

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly commitId: string;
      readonly settle: (options?: ReadOptions) => Promise<boolean>;
    },
  ) {
    super(message, { cause: details.cause, code: "HOLDFAST_OUTCOME_UNKNOWN" });
    this.commitId = details.commitId;
    this.#settle = details.settle;
  }

  /**
   * Sends the same commit again. true: it is there. false: it is not, and never will be.
   *
   * Rejects with {@link OutcomeUnknownError} while neither can be known, and with {@link InvalidStateError} on a store
   * that is closed or must be reopened: there, repeat a single write with its `commitId` on the reopened store, and
   * judge a transaction by reading what it wrote.
   */
  settle(options?: ReadOptions): Promise<boolean> {
    return this.#settle(options);
  }
}

/** The backend lacks this power, or the store is of a newer format. Nothing was written; the message says what is missing. */
export class UnsupportedError extends HoldfastError {
  override readonly name = "UnsupportedError";
  declare readonly code: "HOLDFAST_UNSUPPORTED";

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: "HOLDFAST_UNSUPPORTED" });
  }
}

/** Not reachable, busy too long, disk full, read-only or no permission. Nothing was written: mend the cause, or try again later. */
export class UnavailableError extends HoldfastError {
  override readonly name = "UnavailableError";
  declare readonly code: "HOLDFAST_UNAVAILABLE";

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: "HOLDFAST_UNAVAILABLE" });
  }
}

/** Stored bytes fail their checksum or do not parse. Nothing was repaired or hidden: restore the store from a copy. */
export class CorruptionError extends HoldfastError {
  override readonly name = "CorruptionError";
  declare readonly code: "HOLDFAST_CORRUPTION";

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { ...details, code: "HOLDFAST_CORRUPTION" });
  }
}

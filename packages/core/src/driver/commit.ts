/**
 * What core hands to a driver and gets back. Records are opaque to a driver: text of one line (never a raw newline),
 * well-formed Unicode, made and checked by core. A driver keeps them as they are and gives them back unchanged.
 */

/** Messages that follow each other in one stream. Holds if `offset` is the stream's next unused offset. */
export interface AppendWrite {
  readonly kind: "append";
  readonly stream: string;
  readonly offset: number;
  /** One for each message, at `offset`, `offset` + 1, ... At least one. */
  readonly records: readonly string[];
}

/** A new revision of one state. Holds if `expectedRevision` is the stored revision (0: none). Stored as `expectedRevision` + 1. */
export interface StateWrite {
  readonly kind: "state";
  readonly persistenceId: string;
  readonly expectedRevision: number;
  /** Replaces the record stored before. A deletion leaves a record too, so that the revision is kept. */
  readonly record: string;
  /** false: a deletion. The id is not listed until a later write is live. */
  readonly live: boolean;
  /** Names the commit that made this revision. The driver keeps it for this revision and the eight before it, and may forget older ones. */
  readonly receipt: string;
}

/** One change of a commit. */
export type Write = AppendWrite | StateWrite;

/**
 * All the writes take effect, or none. They apply in order, each on top of the earlier ones: two appends of one commit
 * to one stream are contiguous, two writes to one state take two revisions.
 */
export interface Commit {
  /** Unique to the commit and its content, stored inside its records and receipts. For logs and blocks; a driver need not keep it. */
  readonly id: string;
  /** At least one. */
  readonly writes: readonly Write[];
  /** About how many bytes its records take in UTF-8. */
  readonly bytes: number;
}

/** What became of one commit. */
export type CommitOutcome =
  /** It is there, and survives what the backend promises to survive. */
  | { readonly kind: "committed" }
  /**
   * The precondition of `commit.writes[write]`, the first in order that does not hold, failed: nothing of this commit is
   * there. `actual` is the stream's true next offset, or the state's true revision, at the moment of the judgement.
   *
   * A driver need not know whether an earlier try of the same commit is what took the place: core looks.
   */
  | { readonly kind: "refused"; readonly write: number; readonly actual: number }
  /** Nothing of it is there or ever will be, for a reason that is not a conflict: busy until the deadline, disk full, read-only. A cause that is a DriverFailure says what kind. */
  | { readonly kind: "notWritten"; readonly cause: unknown }
  /** It may or may not be there, or may land later: the reply was lost. Core sends the same commit again until the deadline. */
  | { readonly kind: "uncertain"; readonly cause: unknown }
  /** As uncertain, and this driver must not write again: a sync to disk failed, so nobody knows what the disk holds. */
  | { readonly kind: "reopen"; readonly cause: unknown };

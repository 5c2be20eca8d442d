/**
 * What clients asked of a store and were told: plain data, to be written as JSON, judged by `checkHistory`.
 *
 * Times are numbers of one monotonic clock that all clients share: nanoseconds of `process.hrtime` on one machine, or
 * the steps of a simulation. One operation came before another if its `returned` is less than the other's `called`.
 * In any other case the two overlapped: equal times prove nothing.
 */
export type History = readonly Operation[];

/** One call, whole: there is one for each call that was made, also for those that never returned. */
export type Operation = CommitOperation | ReadOperation;

/** Who called, and when: on one clock that is common to all processes of a history. */
export interface Span {
  /** Who called: for the reader of a violation; the checker does not use it. */
  readonly client: string;
  readonly called: number;
  /** For a call that never returned: any time, as its outcome is "unknown". */
  readonly returned: number;
}

/** An append, a write of a state (one write), or a transaction (any number). */
export interface CommitOperation extends Span {
  readonly kind: "commit";
  /** Calls with the same commitId and the same writes are repeats of one commit (W-3). Absent: a commit of its own. */
  readonly commitId?: string;
  /** In the order called, each with what it expected on top of the earlier ones. */
  readonly writes: readonly HistoryWrite[];
  readonly outcome: Outcome;
}

/** A token is in one message or state only, and so names the write that made it. */
export type HistoryWrite =
  | { readonly kind: "append"; readonly stream: string; readonly offset: number; readonly tokens: readonly string[] }
  | { readonly kind: "upsert"; readonly persistenceId: string; readonly revision: number; readonly token: string }
  | { readonly kind: "delete"; readonly persistenceId: string; readonly revision: number };

/** What the caller was told. After a `settle()` that gave true or false it is "ok" or "notWritten", returned when that did. */
export type Outcome =
  | { readonly kind: "ok" }
  /** `writes[write]` clashed: the first in order. `actual` is the conflict's `nextOffset` or `actualRevision`. */
  | { readonly kind: "conflict"; readonly write: number; readonly actual: number }
  /** It may be there, or come later: `OutcomeUnknownError`, or the caller died. */
  | { readonly kind: "unknown" }
  /** Any other error: it is not there and never will be. */
  | { readonly kind: "notWritten" };

/** Only reads that gave something are recorded. A listing is recorded as one "nextOffset" for each stream. */
export type ReadOperation = Span &
  (
    | { readonly kind: "nextOffset"; readonly stream: string; readonly nextOffset: number }
    /** The messages at `from`, `from` + 1, ... `end`: after them the cursor found the end of the stream, last in the span. */
    | {
        readonly kind: "readStream";
        readonly stream: string;
        readonly from: number;
        readonly tokens: readonly string[];
        readonly end: boolean;
      }
    /** `token` is null where the state is undefined: never written, or deleted. */
    | {
        readonly kind: "load";
        readonly persistenceId: string;
        readonly revision: number;
        readonly token: string | null;
      }
    | { readonly kind: "nextGlobalOffset"; readonly nextGlobalOffset: number }
    | {
        readonly kind: "readGlobal";
        readonly from: number;
        readonly messages: readonly GlobalMessage[];
        readonly end: boolean;
      }
  );

/** A message as a reader of the whole store was given it. */
export interface GlobalMessage {
  readonly globalOffset: number;
  readonly stream: string;
  readonly offset: number;
  readonly token: string;
}

/** The whole store, read once nothing is under way any more: by a fresh reader, after all faults have healed. */
export interface FinalState {
  /** Each stream that exists, once. */
  readonly streams: readonly { readonly stream: string; readonly tokens: readonly string[] }[];
  /** The global order; absent where the store keeps none. */
  readonly global?: readonly GlobalMessage[];
  /** Each persistence id of the history; one that is absent was never written. */
  readonly states: readonly FinalRecord[];
}

/** A state as it is in the end. */
export interface FinalRecord {
  readonly persistenceId: string;
  readonly revision: number;
  readonly token: string | null;
  /** Where it is known what each revision held: at index r the token of revision r + 1, null for a deletion. */
  readonly revisions?: readonly (string | null)[];
}

/** A clause that did not hold. */
export interface Violation {
  /** The ids of the clauses that were broken, the nearest first. */
  readonly clauses: readonly string[];
  /** What broke, in a sentence. */
  readonly what: string;
  /** The operations that show it. */
  readonly operations: readonly Operation[];
}

import type { SealedCommit } from "./record.ts";

export interface SubmitOptions {
  /** The commit may be there from before: the caller gave its id. */
  readonly repeat: boolean;
  /** A reply to it was lost before: only proof decides. */
  readonly replyLost: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A commit on its way, and the caller that waits for it. It is answered once. */
export class QueuedCommit {
  readonly commit: SealedCommit;
  readonly #signal: AbortSignal | undefined;
  readonly #answer: { resolve(): void; reject(error: unknown): void; settled(): void };
  readonly #abort = () => {
    if (!this.sent) this.reject(this.#signal?.reason);
  };
  /** It may be there from before: the caller gave the commit id, or a reply was lost. */
  repeat: boolean;
  /** A reply was lost: from then on only proof decides. */
  replyLost: boolean;
  /** Why the reply was lost. */
  lostReply: unknown;
  /** It left the queue: a signal's abort changes nothing any more. */
  sent = false;
  settled = false;

  constructor(
    commit: SealedCommit,
    options: SubmitOptions,
    answer: { resolve(): void; reject(error: unknown): void; settled(): void },
  ) {
    this.commit = commit;
    this.repeat = options.repeat;
    this.replyLost = options.replyLost;
    this.#answer = answer;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
  }

  loseReply(cause: unknown): void {
    this.replyLost = true;
    this.repeat = true;
    this.lostReply = cause;
  }

  resolve(): void {
    if (this.#settle()) this.#answer.resolve();
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#answer.reject(error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#answer.settled();
    return true;
  }
}

import { HoldfastError, InvalidArgumentError, OutcomeUnknownError, UnavailableError } from "../contract/errors.ts";
import type { ReadOptions } from "../contract/options.ts";
import type { Commit, CommitOutcome } from "../driver/commit.ts";
import type { StoreDriver } from "../driver/store-driver.ts";
import { publicError, reopenError, scrub } from "./failure.ts";
import { checkSignal } from "./guard.ts";
import { judge } from "./judge.ts";
import type { QueuedCommit } from "./queued-commit.ts";
import type { SealedCommit } from "./record.ts";

/** How much later than its deadline a driver may answer before its callers are told that nobody knows. */
const DRIVER_GRACE_MS = 100;
const FIRST_PAUSE_MS = 2;
const LAST_PAUSE_MS = 1_000;

/** Puts itself between core and a driver's `commit`: for tests that lose replies, fail syncs or delay. */
export type CommitInterceptor = (
  commits: readonly Commit[],
  deadline: number,
  next: StoreDriver["commit"],
) => Promise<readonly CommitOutcome[]>;

/** What a settler asks of the queue. */
interface Queue {
  /** These are there: tells those who wait for them. */
  committed(commits: readonly Commit[]): void;
  /** Sends a commit whose reply was lost once more, in its turn. */
  again(commit: SealedCommit, signal: AbortSignal | undefined): Promise<void>;
}

/** What a lane hears of its group. */
interface Listener {
  /** The driver is past its deadline and has not answered. */
  hangs(): void;
  /** It has answered, in time or after all. `atOnce`: the event loop had no turn meanwhile. */
  answered(atOnce: boolean): void;
}

/**
 * Brings a group of commits to a definite outcome each: a member that is refused fails alone, and a lost reply is settled
 * by sending the same commit again, before anyone is answered.
 */
export class Settler {
  readonly #driver: StoreDriver;
  readonly #settleTimeoutMs: number;
  readonly #queue: Queue;
  #commit: StoreDriver["commit"];
  #reopen: HoldfastError | undefined;

  constructor(driver: StoreDriver, settleTimeoutMs: number, queue: Queue) {
    this.#driver = driver;
    this.#settleTimeoutMs = settleTimeoutMs;
    this.#queue = queue;
    this.#commit = (commits, deadline) => driver.commit(commits, deadline);
  }

  intercept(interceptor: CommitInterceptor): void {
    const next = this.#commit;
    this.#commit = (commits, deadline) => interceptor(commits, deadline, next);
  }

  /** After a failed sync nobody knows what the disk holds: nothing more is written. */
  assertWritable(): void {
    if (this.#reopen) throw this.#reopen;
  }

  /** Sends the group until each of its members has a definite outcome, or the time is up. */
  async settle(group: readonly QueuedCommit[], listener: Listener): Promise<void> {
    const deadline = performance.now() + this.#settleTimeoutMs;
    let open = group;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      if (this.#reopen) break;
      open = await this.#answer(open, await this.#send(open, deadline, listener));
      if (open.length === 0) return;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) break;
      const jitterMs = pauseMs * (0.5 + Math.random());
      await new Promise<void>((resolve) => setTimeout(resolve, Math.min(jitterMs, leftMs)));
    }
    for (const entry of open) {
      if (this.#reopen && !entry.replyLost) entry.reject(this.#reopen);
      else this.giveUp(entry);
    }
  }

  /** Tells the caller that nobody knows. */
  giveUp(entry: QueuedCommit): void {
    if (!entry.settled) entry.reject(this.#unknown(entry.commit, entry.lostReply));
  }

  /** The driver's outcomes. One that does not answer in time holds up its lane, but not its callers. */
  async #send(open: readonly QueuedCommit[], deadline: number, listener: Listener): Promise<readonly CommitOutcome[]> {
    const hang = () => {
      for (const entry of open) this.giveUp(entry);
      listener.hangs();
    };
    // Armed a turn later: a driver that answers within this one, as an embedded store's does, pays for no timer.
    let watchdog: NodeJS.Timeout | undefined;
    const arm = setImmediate(() => {
      watchdog = setTimeout(hang, Math.max(0, deadline - performance.now() + DRIVER_GRACE_MS));
    });
    try {
      const commits = open.map((entry) => entry.commit);
      return await this.#commit(commits, deadline);
    } catch (cause) {
      return open.map(() => ({ kind: "uncertain", cause }));
    } finally {
      clearImmediate(arm);
      clearTimeout(watchdog);
      listener.answered(watchdog === undefined);
    }
  }

  /** Answers every member whose outcome is definite; gives those that must be sent again. */
  async #answer(open: readonly QueuedCommit[], outcomes: readonly CommitOutcome[]): Promise<readonly QueuedCommit[]> {
    const again: QueuedCommit[] = [];
    const there: QueuedCommit[] = [];
    for (const [index, entry] of open.entries()) {
      const outcome: CommitOutcome = outcomes[index] ?? { kind: "uncertain", cause: undefined };
      if (entry.settled) {
        // Its caller was told that nobody knows; its readers must hear of it all the same.
        if (outcome.kind === "committed") there.push(entry);
        continue;
      }
      switch (outcome.kind) {
        case "committed":
          there.push(entry);
          break;
        case "refused":
          // Behind a member that is still open nothing is judged: it was called later.
          if (again.length > 0) again.push(entry);
          else if (await this.#isThere(entry, outcome)) there.push(entry);
          else if (!entry.settled) again.push(entry);
          break;
        case "notWritten":
          // Says nothing of an earlier try whose reply was lost.
          if (entry.replyLost) again.push(entry);
          else entry.reject(unavailable(outcome.cause));
          break;
        case "uncertain":
          entry.loseReply(outcome.cause);
          again.push(entry);
          break;
        case "reopen":
          this.#reopen ??= reopenError(scrub(outcome.cause));
          entry.loseReply(outcome.cause);
          this.giveUp(entry);
          break;
      }
    }
    if (there.length > 0) this.#queue.committed(there.map((entry) => entry.commit));
    for (const entry of there) entry.resolve();
    return again;
  }

  /** Whether a refused commit is there from an earlier try. If not it is rejected, or left open while nobody can know. */
  async #isThere(entry: QueuedCommit, refusal: CommitOutcome & { readonly kind: "refused" }): Promise<boolean> {
    try {
      const verdict = await judge(this.#driver, entry.commit, refusal, entry);
      if (verdict.kind === "conflict") entry.reject(verdict.error);
      return verdict.kind === "committed";
    } catch (thrown) {
      const error = publicError(thrown);
      // Nobody could look who took the place. Without a lost reply nothing of this call was written.
      if (!entry.replyLost || error.code === "HOLDFAST_CORRUPTION") entry.reject(error);
      return false;
    }
  }

  #unknown(commit: SealedCommit, cause: unknown): OutcomeUnknownError {
    return new OutcomeUnknownError("the reply was lost and could not be settled in time: ask settle()", {
      commitId: commit.id,
      cause: scrub(cause),
      settle: (options) => this.#settleLater(commit, options),
    });
  }

  async #settleLater(commit: SealedCommit, options: ReadOptions | undefined): Promise<boolean> {
    const signal = checkSignal(options);
    try {
      await this.#queue.again(commit, signal);
      return true;
    } catch (error) {
      if (error instanceof UnavailableError) throw this.#unknown(commit, error);
      // The place was taken by another commit, for good.
      if (error instanceof InvalidArgumentError || isConflict(error)) return false;
      throw error;
    }
  }
}

function isConflict(error: unknown): boolean {
  const code = error instanceof HoldfastError ? error.code : undefined;
  return code === "HOLDFAST_OFFSET_CONFLICT" || code === "HOLDFAST_REVISION_CONFLICT";
}

/** What a write that was not written rejects with: never a conflict. */
function unavailable(cause: unknown): HoldfastError {
  const error = publicError(cause);
  const told = ["HOLDFAST_UNAVAILABLE", "HOLDFAST_UNSUPPORTED", "HOLDFAST_CORRUPTION", "HOLDFAST_REOPEN"].includes(
    error.code,
  );
  if (told) return error;
  return new UnavailableError("the backend could not write: see the cause, mend it, and try again", {
    cause: scrub(cause),
  });
}

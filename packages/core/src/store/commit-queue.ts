import {
  HoldfastError,
  InvalidArgumentError,
  OutcomeUnknownError,
  UnavailableError,
} from "../contract/errors.ts";
import type { ReadOptions } from "../contract/options.ts";
import type { Commit, CommitOutcome } from "../driver/commit.ts";
import type { StoreDriver } from "../driver/store-driver.ts";
import { publicError, reopenError, scrub } from "./failure.ts";
import { checkSignal, closedError } from "./guard.ts";
import { judge } from "./judge.ts";

/** Encoded bytes that may wait at once. Beyond it writes are refused: a caller that never awaits must not fill the memory. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;
const MAX_GROUP_COMMITS = 1_000;
/** How much later than its deadline a driver may answer before its callers are told that nobody knows. */
const DRIVER_GRACE_MS = 100;
const FIRST_PAUSE_MS = 2;
const LAST_PAUSE_MS = 1_000;

export type SealedCommit = Commit & { readonly contentHash: string };

/** Puts itself between core and a driver's `commit`: for tests that lose replies, fail syncs or delay. */
export type CommitInterceptor = (
  commits: readonly Commit[],
  deadline: number,
  next: StoreDriver["commit"],
) => Promise<readonly CommitOutcome[]>;

/** A commit on its way. */
interface Entry {
  readonly commit: SealedCommit;
  /** It may be there from before: the caller gave the commit id, or a reply was lost. */
  repeat: boolean;
  /** A reply to this entry was lost: from then on only proof decides. */
  replyLost: boolean;
  /** It left the queue: a signal's abort changes nothing any more. */
  sent: boolean;
  settled: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** The commits of one store, or of one key, in the order called. */
interface Lane {
  readonly key: string;
  waiting: Entry[];
  inFlight: readonly Entry[];
  /** The driver is past its deadline and has not answered: nothing more is sent until it does. */
  stuck: boolean;
}

/**
 * The one write path. Commits queue while a call to the driver is in flight, and are handed over together: a lone caller
 * waits for nothing, sixty-four share one sync. A member that is refused fails alone, and lost replies are settled here,
 * by sending the same commit again, before anyone is answered.
 */
export class CommitQueue {
  readonly #driver: StoreDriver;
  readonly #settleTimeoutMs: number;
  readonly #committed: (commits: readonly Commit[]) => void;
  readonly #lanes = new Map<string, Lane>();
  #commit: StoreDriver["commit"];
  #queuedBytes = 0;
  #reopen: HoldfastError | undefined;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(driver: StoreDriver, settleTimeoutMs: number, committed: (commits: readonly Commit[]) => void) {
    this.#driver = driver;
    this.#settleTimeoutMs = settleTimeoutMs;
    this.#committed = committed;
    this.#commit = (commits, deadline) => driver.commit(commits, deadline);
  }

  intercept(interceptor: CommitInterceptor): void {
    const next = this.#commit;
    this.#commit = (commits, deadline) => interceptor(commits, deadline, next);
  }

  /** Resolves when the commit is there; rejects with a public error, or with the signal's reason if it was not sent yet. */
  submit(commit: SealedCommit, options: { readonly repeat: boolean; readonly signal: AbortSignal | undefined }): Promise<void> {
    return this.#enqueue(commit, { ...options, replyLost: false });
  }

  /** Sends what waits, refuses what comes, and resolves when all is answered: at the latest after `settleTimeoutMs`. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#lanes.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, this.#settleTimeoutMs);
    });
    await idle;
    clearTimeout(timer);
    for (const lane of this.#lanes.values()) {
      for (const entry of lane.inFlight) this.#unknown(entry);
      this.#refuseWaiting(lane, "the store was closed before this write could be sent");
    }
  }

  #enqueue(
    commit: SealedCommit,
    options: { readonly repeat: boolean; readonly replyLost: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const { signal } = options;
    return new Promise<void>((resolve, reject) => {
      if (this.#reopen) throw this.#reopen;
      const lane = this.#laneOf(commit);
      if (lane.stuck) throw new UnavailableError("an earlier write hangs in the backend: try again later");
      if (this.#queuedBytes + commit.bytes > MAX_QUEUED_BYTES) {
        throw new UnavailableError("too many writes wait to be sent: await earlier ones first");
      }
      const onAbort = () => {
        if (entry.sent) return;
        lane.waiting = lane.waiting.filter((waiting) => waiting !== entry);
        entry.reject(signal?.reason);
      };
      const settle = (how: () => void) => {
        if (entry.settled) return;
        entry.settled = true;
        this.#queuedBytes -= commit.bytes;
        signal?.removeEventListener("abort", onAbort);
        how();
      };
      const entry: Entry = {
        commit,
        repeat: options.repeat,
        replyLost: options.replyLost,
        sent: false,
        settled: false,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queuedBytes += commit.bytes;
      lane.waiting.push(entry);
      // In a microtask: what is called in the same turn travels together.
      if (!this.#lanes.has(lane.key)) {
        this.#lanes.set(lane.key, lane);
        queueMicrotask(() => void this.#drain(lane));
      }
    });
  }

  #laneOf(commit: Commit): Lane {
    const key = this.#driver.transactions === "store" ? "" : keyOf(commit);
    return this.#lanes.get(key) ?? { key, waiting: [], inFlight: [], stuck: false };
  }

  async #drain(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const group = this.#takeGroup(lane);
      lane.inFlight = group;
      await this.#settleGroup(lane, group);
      lane.inFlight = [];
      // One turn of the event loop, in which those who were answered may call again: else groups of 1 and 63 alternate.
      if (!this.#closed) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#lanes.delete(lane.key);
    if (this.#lanes.size === 0) this.#idle?.();
  }

  #takeGroup(lane: Lane): readonly Entry[] {
    let bytes = 0;
    let count = 0;
    for (const { commit } of lane.waiting) {
      bytes += commit.bytes;
      if (count > 0 && (bytes > this.#driver.maxGroupBytes || count === MAX_GROUP_COMMITS)) break;
      count += 1;
    }
    const group = lane.waiting.slice(0, count);
    lane.waiting = lane.waiting.slice(count);
    for (const entry of group) entry.sent = true;
    return group;
  }

  /** Sends the group until each of its members has a definite outcome, or the time is up. */
  async #settleGroup(lane: Lane, group: readonly Entry[]): Promise<void> {
    const deadline = performance.now() + this.#settleTimeoutMs;
    let open = group;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      if (this.#reopen) {
        for (const entry of open) entry.replyLost ? this.#unknown(entry) : entry.reject(this.#reopen);
        return;
      }
      const outcomes = await this.#send(lane, open, deadline);
      open = await this.#answer(open, outcomes);
      if (open.length === 0) return;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) break;
      const jitterMs = pauseMs * (0.5 + Math.random());
      await new Promise<void>((resolve) => setTimeout(resolve, Math.min(jitterMs, leftMs)));
    }
    for (const entry of open) this.#unknown(entry);
  }

  /** The driver's outcomes; if it does not answer in time its callers are told, and the lane waits for it. */
  async #send(lane: Lane, open: readonly Entry[], deadline: number): Promise<readonly CommitOutcome[]> {
    const watchdog = setTimeout(
      () => {
        lane.stuck = true;
        for (const entry of open) this.#unknown(entry);
        this.#refuseWaiting(lane, "an earlier write hangs in the backend: try again later");
      },
      deadline - performance.now() + DRIVER_GRACE_MS,
    );
    try {
      return await this.#commit(
        open.map((entry) => entry.commit),
        deadline,
      );
    } catch (cause) {
      return open.map(() => ({ kind: "uncertain", cause }));
    } finally {
      clearTimeout(watchdog);
      lane.stuck = false;
    }
  }

  /** Answers every entry whose outcome is definite; gives those that must be sent again. */
  async #answer(open: readonly Entry[], outcomes: readonly CommitOutcome[]): Promise<readonly Entry[]> {
    const again: Entry[] = [];
    const committed: Entry[] = [];
    for (const [index, entry] of open.entries()) {
      const outcome: CommitOutcome = outcomes[index] ?? { kind: "uncertain", cause: undefined };
      if (entry.settled) {
        // Its caller was told that nobody knows; its readers must hear of it all the same.
        if (outcome.kind !== "refused" && outcome.kind !== "notWritten") committed.push(entry);
        continue;
      }
      switch (outcome.kind) {
        case "committed":
          committed.push(entry);
          break;
        case "refused":
          // Behind a member that is still open nothing is judged: it was called later.
          if (again.length > 0) again.push(entry);
          else if (await this.#refused(entry, outcome)) committed.push(entry);
          else if (!entry.settled) again.push(entry);
          break;
        case "notWritten":
          // Says nothing of an earlier try whose reply was lost.
          if (entry.replyLost) again.push(entry);
          else entry.reject(unavailable(outcome.cause));
          break;
        case "uncertain":
          entry.replyLost = true;
          entry.repeat = true;
          again.push(entry);
          break;
        case "reopen":
          this.#reopen ??= reopenError(scrub(outcome.cause));
          this.#unknown(entry);
          break;
      }
    }
    if (committed.length > 0) this.#committed(committed.map((entry) => entry.commit));
    for (const entry of committed) entry.resolve();
    return again;
  }

  /** true: it is there from an earlier try. Otherwise the entry is rejected, or left open if nobody can know yet. */
  async #refused(entry: Entry, refusal: CommitOutcome & { kind: "refused" }): Promise<boolean> {
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

  #refuseWaiting(lane: Lane, why: string): void {
    const waiting = lane.waiting;
    lane.waiting = [];
    for (const entry of waiting) entry.reject(new UnavailableError(why));
  }

  #unknown(entry: Entry): void {
    const { commit } = entry;
    entry.reject(
      new OutcomeUnknownError("the reply was lost and could not be settled in time: ask settle()", {
        commitId: commit.id,
        settle: (options) => this.#settle(commit, options),
      }),
    );
  }

  async #settle(commit: SealedCommit, options: ReadOptions | undefined): Promise<boolean> {
    if (this.#closed) throw closedError("store");
    const signal = checkSignal(options);
    signal?.throwIfAborted();
    try {
      await this.#enqueue(commit, { repeat: true, replyLost: true, signal });
      return true;
    } catch (error) {
      if (error instanceof UnavailableError) {
        throw new OutcomeUnknownError("the commit could not be sent again: ask settle() later", {
          commitId: commit.id,
          cause: scrub(error),
          settle: (again) => this.#settle(commit, again),
        });
      }
      const { code } = error as { code?: unknown };
      if (code === "HOLDFAST_OFFSET_CONFLICT" || code === "HOLDFAST_REVISION_CONFLICT") return false;
      if (error instanceof InvalidArgumentError) return false;
      throw error;
    }
  }
}

/** Where commits write one key, that key. */
function keyOf(commit: Commit): string {
  const [write] = commit.writes;
  if (write === undefined) throw new RangeError("a commit has at least one write");
  return write.kind === "append" ? `m${write.stream}` : `s${write.persistenceId}`;
}

function unavailable(cause: unknown): HoldfastError {
  const error = publicError(cause);
  return error.code === "HOLDFAST_UNAVAILABLE" || error.code === "HOLDFAST_UNSUPPORTED" || error.code === "HOLDFAST_CORRUPTION"
    ? error
    : new UnavailableError("the backend could not write: see the cause, mend it, and try again", { cause: scrub(cause) });
}

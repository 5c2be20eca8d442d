import { UnavailableError } from "../contract/errors.ts";
import type { Commit } from "../driver/commit.ts";
import type { StoreDriver } from "../driver/store-driver.ts";
import { closedError } from "./guard.ts";
import { QueuedCommit, type SubmitOptions } from "./queued-commit.ts";
import type { SealedCommit } from "./record.ts";
import { type CommitInterceptor, Settler } from "./settler.ts";

/** Encoded bytes that may wait at once. Beyond it writes are refused: a caller that never awaits must not fill the memory. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;
const MAX_GROUP_COMMITS = 1_000;
const HANGS = "an earlier write hangs in the backend: try again later";

/** The commits of one store, or of one key, in the order called. */
interface Lane {
  readonly key: string;
  waiting: QueuedCommit[];
  inFlight: readonly QueuedCommit[];
  /** The driver is past its deadline and has not answered: nothing more is sent until it does. */
  stuck: boolean;
}

/**
 * The one write path. Commits queue while a call to the driver is in flight, and are handed over together: a lone caller
 * waits for nothing, sixty-four share one sync. What becomes of a group is the settler's business.
 */
export class CommitQueue {
  readonly #driver: StoreDriver;
  readonly #settler: Settler;
  readonly #settleTimeoutMs: number;
  readonly #lanes = new Map<string, Lane>();
  #queuedBytes = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  /** `committed` hears of every commit that is there, before its caller does. */
  constructor(driver: StoreDriver, settleTimeoutMs: number, committed: (commits: readonly Commit[]) => void) {
    this.#driver = driver;
    this.#settleTimeoutMs = settleTimeoutMs;
    this.#settler = new Settler(driver, settleTimeoutMs, {
      committed,
      again: (commit, signal) => this.submit(commit, { repeat: true, replyLost: true, signal }),
    });
  }

  intercept(interceptor: CommitInterceptor): void {
    this.#settler.intercept(interceptor);
  }

  /** Resolves when the commit is there; rejects with a public error, or with the signal's reason if it was not sent yet. */
  submit(commit: SealedCommit, options: SubmitOptions): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.#closed) throw closedError("store");
      this.#settler.assertWritable();
      options.signal?.throwIfAborted();
      const lane = this.#laneOf(commit);
      if (lane.stuck) throw new UnavailableError(HANGS);
      if (this.#queuedBytes + commit.bytes > MAX_QUEUED_BYTES) {
        throw new UnavailableError("too many writes wait to be sent: await earlier ones first");
      }
      this.#queuedBytes += commit.bytes;
      const entry = new QueuedCommit(commit, options, {
        resolve,
        reject,
        settled: () => {
          this.#queuedBytes -= commit.bytes;
          if (!entry.sent) lane.waiting = lane.waiting.filter((waiting) => waiting !== entry);
        },
      });
      lane.waiting.push(entry);
      if (this.#lanes.has(lane.key)) return;
      this.#lanes.set(lane.key, lane);
      // In a microtask: what is called in the same turn travels together.
      queueMicrotask(() => void this.#drain(lane));
    });
  }

  /** Sends what waits, refuses what comes, and resolves when all is answered: at the latest after `settleTimeoutMs`. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#lanes.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, this.#settleTimeoutMs);
    });
    clearTimeout(timer);
    for (const lane of this.#lanes.values()) {
      for (const entry of lane.inFlight) this.#settler.giveUp(entry);
      refuse(lane.waiting, "the store was closed before this write could be sent");
    }
  }

  #laneOf(commit: Commit): Lane {
    const key = this.#driver.transactions === "store" ? "" : keyOf(commit);
    return this.#lanes.get(key) ?? { key, waiting: [], inFlight: [], stuck: false };
  }

  async #drain(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      lane.inFlight = this.#takeGroup(lane);
      let takeTurn = lane.inFlight.length > 1;
      await this.#settler.settle(lane.inFlight, {
        hangs: () => {
          lane.stuck = true;
          refuse(lane.waiting, HANGS);
        },
        answered: (atOnce) => {
          lane.stuck = false;
          takeTurn ||= atOnce;
        },
      });
      lane.inFlight = [];
      // One turn of the event loop, in which those who were answered may call again: else groups of 1 and 63 alternate.
      // A lone caller needs none, but where the driver took none itself: everybody else would starve.
      if (takeTurn && !this.#closed) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#lanes.delete(lane.key);
    if (this.#lanes.size === 0) this.#idle?.();
  }

  #takeGroup(lane: Lane): readonly QueuedCommit[] {
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
}

function refuse(waiting: readonly QueuedCommit[], why: string): void {
  for (const entry of [...waiting]) entry.reject(new UnavailableError(why));
}

/** Where commits write one key, that key. */
function keyOf(commit: Commit): string {
  const [write] = commit.writes;
  if (write === undefined) throw new RangeError("a commit has at least one write");
  return write.kind === "append" ? `m${write.stream}` : `s${write.persistenceId}`;
}

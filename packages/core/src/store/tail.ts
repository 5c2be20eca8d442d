import type { Commit } from "../driver/commit.ts";
import type { StoreDriver } from "../driver/store-driver.ts";

/** What a reader waits for: a stream's name, or the whole store. */
export type Topic = { readonly stream: string } | "global";

/** One reader's wait. Made before it looks: what is committed after that can't be missed. */
export interface Waiter {
  /** Resolves when there may be something to see, or the wait was cancelled. */
  readonly woken: Promise<void>;
  cancel(): void;
}

/** Where the driver's hints are sooner, the poll is for those that get lost: so much longer, and still in time at the median. */
const WATCHED_POLL = 1.5;
/** For so long after anything moved the store is asked every `noticeMs` or so; after that, every `IDLE_POLL_MS`. */
const ACTIVE_MS = 12_000;
const IDLE_POLL_MS = 1_000;
/** For so long after the last reader went, the driver's watch is kept: the next reader is likely near. */
const WATCH_LINGER_MS = 2_000;

/**
 * Where all readers of a store wait. Commits of this process wake them at once; for those of others, one poll a store
 * asks the driver, and only while someone waits. The driver's own hints make it sooner.
 */
export class Tail {
  readonly #driver: StoreDriver;
  readonly #noticeMs: number;
  readonly #waiting = new Map<string, Set<() => void>>();
  #count = 0;
  #poll: NodeJS.Timeout | undefined;
  /** The driver is being asked: however readers come and go meanwhile, it is asked by one at a time. */
  #looking = false;
  #movedAt = 0;
  #unwatch: (() => void) | undefined;
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(driver: StoreDriver, noticeMs: number) {
    this.#driver = driver;
    this.#noticeMs = noticeMs;
  }

  wait(topic: Topic): Waiter {
    const key = keyOf(topic);
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const waiters = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiters);
    waiters.add(wake);
    this.#count += 1;
    if (this.#count === 1) this.#begin();
    const cancel = () => {
      if (!waiters.delete(wake)) return;
      wake();
      if (waiters.size === 0) this.#waiting.delete(key);
      this.#count -= 1;
      if (this.#count === 0) this.#pause();
    };
    return { woken, cancel };
  }

  /** Wakes the readers of what these commits wrote. */
  committed(commits: readonly Commit[]): void {
    if (this.#count === 0) return;
    this.#movedAt = performance.now();
    let appended = false;
    for (const commit of commits) {
      for (const write of commit.writes) {
        if (write.kind !== "append") continue;
        appended = true;
        this.#wake(keyOf(write));
      }
    }
    if (appended) this.#wake(keyOf("global"));
  }

  close(): void {
    this.#closed = true;
    this.#pause();
    clearTimeout(this.#linger);
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #wake(key: string): void {
    for (const wake of this.#waiting.get(key) ?? []) wake();
  }

  #wakeAll(): void {
    for (const key of this.#waiting.keys()) this.#wake(key);
  }

  #begin(): void {
    this.#movedAt = performance.now();
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#unwatch ??= this.#driver.watch?.(() => {
      this.#movedAt = performance.now();
      this.#wakeAll();
    });
    this.#schedule();
  }

  #pause(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
    if (this.#unwatch === undefined || this.#linger !== undefined) return;
    this.#linger = setTimeout(() => {
      this.#linger = undefined;
      this.#unwatch?.();
      this.#unwatch = undefined;
    }, WATCH_LINGER_MS).unref();
  }

  #schedule(): void {
    if (this.#noticeMs === 0 || this.#closed || this.#looking || this.#poll !== undefined) return;
    const quiet = performance.now() - this.#movedAt > ACTIVE_MS;
    const pollMs = this.#noticeMs * (this.#driver.watch === undefined ? 1 : WATCHED_POLL);
    this.#poll = setTimeout(() => void this.#look(), quiet ? Math.max(IDLE_POLL_MS, pollMs) : pollMs);
  }

  async #look(): Promise<void> {
    this.#poll = undefined;
    this.#looking = true;
    // A driver that can't answer leaves it to the readers: what they meet, they tell.
    const moved = await this.#driver.changed?.().catch(() => true);
    this.#looking = false;
    if (this.#count === 0 || this.#closed) return;
    if (moved === true) this.#movedAt = performance.now();
    // A driver that can't be asked has each reader look for itself.
    if (moved !== false) this.#wakeAll();
    this.#schedule();
  }
}

function keyOf(topic: Topic): string {
  return topic === "global" ? "" : topic.stream;
}

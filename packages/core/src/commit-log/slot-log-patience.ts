const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 1_000;
/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The time is up, and a reply is still out. */
export class TimeUp extends Error {
  override readonly name = "TimeUp";
}

/** How long one append may try, and how it waits between tries. */
export class Patience {
  readonly #deadline: number;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** Whether something that takes so long can still be answered in time. */
  allows(tookMs: number): boolean {
    return performance.now() + tookMs < this.#deadline;
  }

  /** What the request gives, or a rejection with TimeUp at the deadline. The request may be answered later all the same. */
  async within<T>(request: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      const leftMs = Math.min(Math.max(0, this.#deadline - performance.now()), MAX_TIMER_MS);
      timer = setTimeout(() => reject(new TimeUp("no reply came in time")), leftMs);
    });
    try {
      const reply = await Promise.race([request, timeUp]);
      this.#pauseMs = FIRST_PAUSE_MS;
      return reply;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits a little longer each time in a row; throws `cause` where that would be too long. */
  async pause(cause: unknown): Promise<void> {
    const jitterMs = this.#pauseMs * (0.5 + Math.random());
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
    if (!this.allows(jitterMs)) throw cause;
    await new Promise<void>((resolve) => setTimeout(resolve, jitterMs));
  }
}

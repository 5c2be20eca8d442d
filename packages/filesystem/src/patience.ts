const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits for one thing at a time until a deadline, by one timer that is left running from one wait to the next. */
export class Patience {
  #deadline = 0;
  #giveUp: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** What `work` gives, or "late" if it takes until `deadline`, a moment of performance.now(). */
  async wait<T>(deadline: number, work: Promise<T>): Promise<T | "late"> {
    const tooLate = new Promise<"late">((resolve) => {
      this.#giveUp = () => resolve("late");
    });
    if (this.#timer === undefined || deadline < this.#deadline) this.#arm(deadline);
    this.#deadline = deadline;
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      this.#giveUp = undefined;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(deadline: number): void {
    clearTimeout(this.#timer);
    const leftMs = Math.min(Math.max(deadline - performance.now(), 0), MAX_TIMER_MS);
    // What is waited for keeps the process alive by itself.
    this.#timer = setTimeout(() => this.#ring(), leftMs).unref();
  }

  #ring(): void {
    this.#timer = undefined;
    if (this.#giveUp === undefined) return;
    if (performance.now() >= this.#deadline) this.#giveUp();
    else this.#arm(this.#deadline);
  }
}

import { isBusy } from "./failure.ts";

/** The lock is mostly held for one sync: so long it is tried in every turn of the event loop. */
const EAGER_MS = 1;
const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 16;

/**
 * Runs `work`, which must leave nothing open when it throws, again and again while the database is locked, without ever
 * blocking the event loop. At `deadline`, a moment of performance.now(), it throws SQLite's error.
 */
export async function whileBusy<T>(deadline: number, work: () => T): Promise<T> {
  let eagerUntil: number | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    try {
      return work();
    } catch (error) {
      const now = performance.now();
      if (!isBusy(error) || now >= deadline) throw error;
      eagerUntil ??= now + EAGER_MS;
      if (now < eagerUntil) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      } else {
        // Jitter keeps two who wait from meeting again and again.
        const jitterMs = pauseMs * (0.5 + Math.random());
        await new Promise<void>((resolve) => setTimeout(resolve, Math.min(jitterMs, deadline - now)));
        pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
      }
    }
  }
}

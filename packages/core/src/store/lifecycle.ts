import { publicError } from "./failure.ts";
import { closedError } from "./guard.ts";

/** Something that ends when the store is closed. */
export interface Closeable {
  close(): Promise<void>;
}

/** Whether a store is open, what hangs from it, and which reads still run. */
export class Lifecycle {
  readonly #open = new Set<Closeable>();
  #closed = false;
  #reads = 0;
  #idle: (() => void) | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  /** The first check of every call. */
  assertOpen(): void {
    if (this.#closed) throw closedError("store");
  }

  add(closeable: Closeable): void {
    this.#open.add(closeable);
  }

  remove(closeable: Closeable): void {
    this.#open.delete(closeable);
  }

  /** Runs a read of the driver: makes public errors of its failures, and is waited for by `close`. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    this.assertOpen();
    this.#reads += 1;
    try {
      return await read();
    } catch (thrown) {
      throw publicError(thrown);
    } finally {
      this.#reads -= 1;
      if (this.#reads === 0) this.#idle?.();
    }
  }

  /** As {@link Lifecycle.read}, given up when the signal is aborted: the read goes on alone, and nobody hears of it. */
  async readFor<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (signal === undefined) return this.read(read);
    const reading = this.read(read);
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      reading.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  /** From now on every call is refused, and what waits is rejected. */
  beginClose(): void {
    this.#closed = true;
    for (const closeable of [...this.#open]) void closeable.close();
    this.#open.clear();
  }

  /** Resolves when no read runs any more, or after `timeoutMs`. */
  async readsDone(timeoutMs: number): Promise<void> {
    if (this.#reads === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}

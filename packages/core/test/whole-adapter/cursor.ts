import type { Envelope, RecordedEnvelope } from "../../src/contract/envelope.ts";
import { InvalidStateError } from "../../src/contract/errors.ts";
import type { MessageStream } from "../../src/contract/message-stream.ts";
import type { ReadOptions } from "../../src/contract/options.ts";
import { checkOptions } from "./values.ts";

/** Where a cursor reads: a message by its offset, and a call when one may have come. */
export interface Source<E extends Envelope> {
  at(offset: number): RecordedEnvelope<E> | undefined;
  readonly cursors: Set<MapCursor<E>>;
}

export class MapCursor<E extends Envelope> implements MessageStream<E> {
  readonly #source: Source<E>;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.#end(this.#signal?.reason);
  #next: number;
  #current: RecordedEnvelope<E> | undefined;
  #currentOffset = 0;
  #ended: { readonly reason: unknown } | undefined;
  #busy = false;
  #wake: () => void = () => {};

  constructor(source: Source<E>, offset: number, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#next = offset;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
    source.cursors.add(this);
  }

  wake(): void {
    this.#wake();
  }

  async next(options?: ReadOptions): Promise<void> {
    this.#enter(options);
    const signal = options?.signal;
    const abort = () => this.#wake();
    signal?.addEventListener("abort", abort);
    this.#busy = true;
    try {
      while (!this.#advance()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#throwIfEnded();
        signal?.throwIfAborted();
      }
    } finally {
      this.#busy = false;
      signal?.removeEventListener("abort", abort);
    }
  }

  async tryNext(options?: ReadOptions): Promise<boolean> {
    this.#enter(options);
    return this.#advance();
  }

  get(): RecordedEnvelope<E> {
    return structuredClone(this.#here());
  }

  offset(): number {
    this.#here();
    return this.#currentOffset;
  }

  async close(): Promise<void> {
    this.#end(new InvalidStateError("the cursor is closed", { code: "HOLDFAST_CLOSED" }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedEnvelope<E>> {
    return {
      next: async () => {
        await this.next();
        return { value: this.get(), done: false };
      },
      return: async () => {
        await this.close();
        return { value: undefined, done: true };
      },
    };
  }

  #enter(options: ReadOptions | undefined): void {
    this.#throwIfEnded();
    checkOptions(options);
    if (this.#busy) throw new InvalidStateError("a read is pending", { code: "HOLDFAST_BUSY" });
  }

  #advance(): boolean {
    const message = this.#source.at(this.#next);
    if (message === undefined) return false;
    this.#current = message;
    this.#currentOffset = this.#next;
    this.#next += 1;
    return true;
  }

  #here(): RecordedEnvelope<E> {
    this.#throwIfEnded();
    if (this.#current === undefined) throw new InvalidStateError("no message yet", { code: "HOLDFAST_NO_MESSAGE" });
    return this.#current;
  }

  #throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended.reason;
  }

  #end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#source.cursors.delete(this);
    this.#wake();
  }
}

import type { Envelope, RecordedEnvelope } from "../contract/envelope.ts";
import { CorruptionError, InvalidStateError } from "../contract/errors.ts";
import type { MessageStream } from "../contract/message-stream.ts";
import type { ReadOptions } from "../contract/options.ts";
import type { ReadLimit, StoredMessage } from "../driver/store-driver.ts";
import { checkSignal, closedError } from "./guard.ts";
import { decodeMessage } from "./record.ts";
import type { Tail, Topic, Waiter } from "./tail.ts";

/** With one message more, however large, well below the 16 MiB that a cursor may hold. */
const PAGE: ReadLimit = { maxRecords: 512, maxBytes: 1024 * 1024 };

/** What a cursor reads from: one stream, or the whole store. */
export interface CursorSource {
  readonly topic: Topic;
  read(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]>;
  /** Where a message lies in this source. */
  offsetOf(stored: StoredMessage): number;
}

/** A `next` or `tryNext` that has not settled. Whoever ends it first decides how. */
interface PendingCall {
  readonly ended: boolean;
  end(settle: () => void): void;
  reject(error: unknown): void;
}

/** The one implementation of {@link MessageStream}, over whatever a driver can read. */
export class Cursor<E extends Envelope> implements MessageStream<E> {
  readonly #source: CursorSource;
  readonly #tail: Tail;
  readonly #onClose: (cursor: Cursor<E>) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.#end(this.#signal?.reason);
  #page: readonly StoredMessage[] = [];
  #index = 0;
  /** The offset of the next message to give. */
  #next: number;
  #current: { readonly message: RecordedEnvelope<E>; readonly offset: number } | undefined;
  #pending: PendingCall | undefined;
  #waiter: Waiter | undefined;
  #reading: Promise<void> | undefined;
  #ended: { readonly error: unknown } | undefined;

  constructor(
    source: CursorSource,
    from: number,
    life: {
      readonly tail: Tail;
      readonly signal: AbortSignal | undefined;
      readonly onClose: (cursor: Cursor<E>) => void;
    },
  ) {
    this.#source = source;
    this.#next = from;
    this.#tail = life.tail;
    this.#onClose = life.onClose;
    this.#signal = life.signal;
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
  }

  async next(options?: ReadOptions): Promise<void> {
    const advanced = this.#advance(options, true);
    if (advanced !== true) await advanced;
  }

  async tryNext(options?: ReadOptions): Promise<boolean> {
    return this.#advance(options, false);
  }

  get(): RecordedEnvelope<E> {
    return this.#here().message;
  }

  offset(): number {
    return this.#here().offset;
  }

  async close(): Promise<void> {
    this.#end(closedError("cursor"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedEnvelope<E>, undefined> {
    return {
      next: async () => {
        await this.next();
        return { done: false, value: this.get() };
      },
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  #here(): { readonly message: RecordedEnvelope<E>; readonly offset: number } {
    if (this.#ended) throw this.#ended.error;
    if (this.#current) return this.#current;
    throw new InvalidStateError("the cursor is before its first message: call next() or tryNext()", {
      code: "HOLDFAST_NO_MESSAGE",
    });
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#pending?.reject(error);
    this.#page = [];
    this.#current = undefined;
    this.#onClose(this);
  }

  #advance(options: ReadOptions | undefined, wait: boolean): true | Promise<boolean> {
    if (this.#ended) throw this.#ended.error;
    const signal = checkSignal(options);
    if (this.#pending) {
      throw new InvalidStateError("a next() or tryNext() of this cursor is pending: await it first", {
        code: "HOLDFAST_BUSY",
      });
    }
    signal?.throwIfAborted();
    if (this.#index < this.#page.length) return this.#step();
    return new Promise<boolean>((resolve, reject) => {
      const call = this.#begin(signal, reject);
      void this.#look(call, wait).then(
        // Moves in the moment in which the call is answered: an abort comes before, and loses nothing, or too late.
        (found) => call.end(() => resolve(found && this.#step())),
        call.reject,
      );
    });
  }

  #begin(signal: AbortSignal | undefined, reject: (error: unknown) => void): PendingCall {
    let ended = false;
    const onAbort = () => call.reject(signal?.reason);
    const call = {
      get ended() {
        return ended;
      },
      end: (settle: () => void) => {
        if (ended) return;
        ended = true;
        this.#pending = undefined;
        this.#waiter?.cancel();
        signal?.removeEventListener("abort", onAbort);
        try {
          settle();
        } catch (error) {
          reject(error);
        }
      },
      reject: (error: unknown) => call.end(() => reject(error)),
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#pending = call;
    return call;
  }

  /** Looks until there is a message, or once. A call that was ended meanwhile goes no further, and loses nothing. */
  async #look(call: PendingCall, wait: boolean): Promise<boolean> {
    for (;;) {
      // Before the look: a message committed between the two would be lost otherwise.
      if (wait) this.#waiter = this.#tail.wait(this.#source.topic);
      await this.#fill();
      if (call.ended || this.#index < this.#page.length) return true;
      if (!wait) return false;
      await this.#waiter?.woken;
      if (call.ended) return true;
      this.#waiter?.cancel();
    }
  }

  /** One read at a time, shared with a call that was aborted while it ran. */
  #fill(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#index < this.#page.length) return;
    const from = this.#next;
    const page = await this.#source.read(from, PAGE);
    for (const [index, stored] of page.entries()) {
      if (this.#source.offsetOf(stored) !== from + index) {
        throw new CorruptionError(
          `offset ${from + index} is missing from the stored messages: restore the store from a copy`,
        );
      }
    }
    if (this.#ended) return;
    this.#page = page;
    this.#index = 0;
  }

  #step(): true {
    const stored = this.#page[this.#index];
    if (stored === undefined) throw new RangeError("the page holds a message here");
    this.#current = { message: decodeMessage(stored) as RecordedEnvelope<E>, offset: this.#next };
    this.#index += 1;
    this.#next += 1;
    // What was given is no longer held.
    if (this.#index === this.#page.length) this.#page = [];
    return true;
  }
}

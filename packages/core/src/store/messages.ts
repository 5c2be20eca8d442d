import type { Envelope } from "../contract/envelope.ts";
import type { GloballyOrderedMessageStore, MessageStore } from "../contract/message-store.ts";
import type { MessageStream } from "../contract/message-stream.ts";
import type { ReadOptions, WriteOptions } from "../contract/options.ts";
import type { GloballyOrderedDriver, Page } from "../driver/store-driver.ts";
import { Cursor, type CursorSource } from "./cursor.ts";
import { draftAppend } from "./draft.ts";
import { checkName, checkOffset, checkPrefix, checkSignal } from "./guard.ts";
import type { StoreCore } from "./store-core.ts";

/** {@link MessageStore} over any driver. */
export class DriverMessageStore implements MessageStore {
  protected readonly core: StoreCore;

  constructor(core: StoreCore) {
    this.core = core;
  }

  async appendMessages(
    stream: string,
    offset: number,
    envelopes: readonly Envelope[],
    options?: WriteOptions,
  ): Promise<void> {
    await this.core.write(options, () => draftAppend(stream, offset, envelopes));
  }

  async openStream<E extends Envelope = Envelope>(
    stream: string,
    offset: number,
    options?: ReadOptions,
  ): Promise<MessageStream<E> | undefined> {
    this.core.life.assertOpen();
    const signal = this.#checkOpen(stream, offset, options);
    const next = await this.core.life.readFor(signal, () => this.core.driver.nextOffset(stream));
    return next === 0 ? undefined : this.#openStream(stream, offset, signal);
  }

  async followStream<E extends Envelope = Envelope>(
    stream: string,
    offset: number,
    options?: ReadOptions,
  ): Promise<MessageStream<E>> {
    this.core.life.assertOpen();
    const signal = this.#checkOpen(stream, offset, options);
    return this.#openStream(stream, offset, signal);
  }

  async nextOffset(stream: string, options?: ReadOptions): Promise<number> {
    this.core.life.assertOpen();
    checkName(stream, "stream");
    return this.core.life.readFor(checkSignal(options), () => this.core.driver.nextOffset(stream));
  }

  listStreams(
    options?: ReadOptions & { readonly prefix?: string | undefined },
  ): AsyncIterable<{ readonly stream: string; readonly nextOffset: number }> {
    return list(this.core, options, (prefix, after) => this.core.driver.listStreams(prefix, after));
  }

  protected cursor<E extends Envelope>(
    source: CursorSource,
    from: number,
    signal: AbortSignal | undefined,
  ): MessageStream<E> {
    const { life, tail } = this.core;
    signal?.throwIfAborted();
    life.assertOpen();
    const cursor = new Cursor<E>(source, from, { tail, signal, onClose: (closed) => life.remove(closed) });
    life.add(cursor);
    return cursor;
  }

  #checkOpen(stream: string, offset: number, options: ReadOptions | undefined): AbortSignal | undefined {
    checkName(stream, "stream");
    checkOffset(offset, "offset");
    return checkSignal(options);
  }

  #openStream<E extends Envelope>(stream: string, offset: number, signal: AbortSignal | undefined): MessageStream<E> {
    const { driver, life } = this.core;
    const source: CursorSource = {
      topic: { stream },
      read: (from, limit) => life.read(() => driver.readStream(stream, from, limit)),
      offsetOf: (stored) => stored.offset,
    };
    return this.cursor<E>(source, offset, signal);
  }
}

/** {@link GloballyOrderedMessageStore} over a driver that keeps that order. */
export class DriverGlobalMessageStore extends DriverMessageStore implements GloballyOrderedMessageStore {
  readonly #driver: GloballyOrderedDriver;

  constructor(core: StoreCore, driver: GloballyOrderedDriver) {
    super(core);
    this.#driver = driver;
  }

  async openGlobal<E extends Envelope = Envelope>(offset: number, options?: ReadOptions): Promise<MessageStream<E>> {
    const { life } = this.core;
    life.assertOpen();
    checkOffset(offset, "offset");
    const source: CursorSource = {
      topic: "global",
      read: (from, limit) => life.read(() => this.#driver.readGlobal(from, limit)),
      offsetOf: (stored) => stored.globalOffset ?? -1,
    };
    return this.cursor<E>(source, offset, checkSignal(options));
  }

  async nextGlobalOffset(options?: ReadOptions): Promise<number> {
    this.core.life.assertOpen();
    return this.core.life.readFor(checkSignal(options), () => this.#driver.nextGlobalOffset());
  }
}

/** Walks the pages of a listing. Being a generator, it checks its arguments at its first step. */
export async function* list<T>(
  core: StoreCore,
  options: (ReadOptions & { readonly prefix?: string | undefined }) | undefined,
  page: (prefix: string, after: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  core.life.assertOpen();
  const signal = checkSignal(options);
  const prefix = checkPrefix(options);
  let after: string | undefined;
  do {
    const from = after;
    const { items, next } = await core.life.readFor(signal, () => page(prefix, from));
    for (const item of items) {
      yield item;
      core.life.assertOpen();
      signal?.throwIfAborted();
    }
    after = next;
  } while (after !== undefined);
}

import { type Backend, openBackend, type Store } from "./backends.ts";
import { Offsets, order } from "./workload.ts";

/** The same work through the public API. */
export class Holdfast {
  readonly store: Store;
  readonly #offsets = new Offsets();

  constructor(store: Store) {
    this.store = store;
  }

  static async open(backend: Backend, folder: string, durability?: "power" | "process"): Promise<Holdfast> {
    return new Holdfast(await openBackend(backend, folder, durability));
  }

  async appendEach(count: number, streams: number): Promise<void> {
    for (let index = 0; index < count; index++) await this.#append(`stream-${index % streams}`, index);
  }

  /** `appenders` callers at once, each with a stream of its own, each awaiting its own append before the next. */
  async appendConcurrently(count: number, appenders: number): Promise<void> {
    const each = async (appender: number) => {
      for (let index = appender; index < count; index += appenders) await this.#append(`stream-${appender}`, index);
    };
    await Promise.all(Array.from({ length: appenders }, (_, appender) => each(appender)));
  }

  async appendBatches(count: number, size: number, streams: number): Promise<void> {
    for (let from = 0; from < count; from += size) {
      const stream = `stream-${(from / size) % streams}`;
      const batch = Array.from({ length: size }, (_, index) => order(from + index));
      await this.store.messages.appendMessages(stream, this.#offsets.take(stream, size), batch);
    }
  }

  /** In global order; gives how many of the `limit` there were. */
  async replay(from: number, limit: number): Promise<number> {
    await using cursor = await this.store.messages.openGlobal(from);
    let count = 0;
    while (count < limit && (await cursor.tryNext())) {
      cursor.get();
      count += 1;
    }
    return count;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  async #append(stream: string, index: number): Promise<void> {
    await this.store.messages.appendMessages(stream, this.#offsets.take(stream, 1), [order(index)]);
  }
}

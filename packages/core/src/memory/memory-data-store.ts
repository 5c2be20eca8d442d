import type { GloballyOrderedMessageStore } from "../contract/message-store.ts";
import type { OpenOptions } from "../contract/options.ts";
import { DriverDataStore } from "../store/driver-data-store.ts";
import { openStore } from "../store/open-store.ts";
import { MemoryDriver } from "./memory-driver.ts";

/**
 * A test double that keeps the whole contract in memory, but for durability: the data dies with the store. Globally
 * ordered, transactions "store".
 */
export class MemoryDataStore extends DriverDataStore<GloballyOrderedMessageStore> {
  /** A new, empty store: nobody else can open it. `noticeMs` is 0 whatever is asked for. Rejects with InvalidArgumentError for bad options. */
  static open(options: OpenOptions = {}): Promise<MemoryDataStore> {
    return openStore(options, { noticeMs: 1 }, async (settings) => new MemoryDataStore(new MemoryDriver(), settings));
  }
}

import type { Harness } from "../../src/conformance/harness.ts";
import type { Capabilities, DataStore } from "../../src/contract/data-store.ts";

const byStore: Capabilities = { globalOrder: true, transactions: "store", durable: true, noticeMs: 25 };
const byKey: Capabilities = { globalOrder: false, transactions: "key", durable: true, noticeMs: 25 };

/** Adapters that do nothing right, with every hook: no clause may hold for them. */
export const throwing: Harness = adapter("always throws", byStore, throwingStore);
export const throwingByKey: Harness = adapter("always throws, by key", byKey, throwingStore);
export const constants: Harness = adapter("returns constants", byStore, constantStore);
export const constantsByKey: Harness = adapter("returns constants, by key", byKey, constantStore);

function adapter(name: string, capabilities: Capabilities, make: (capabilities: Capabilities) => DataStore): Harness {
  const open = async () => make(capabilities);
  return {
    name,
    capabilities,
    create: async () => name,
    open,
    destroy: async () => {},
    faults: {
      loseReplies: async () => {},
      failSync: async () => {},
      damage: async () => {},
      markNewer: async () => {},
      openIncapable: open,
    },
  };
}

function throwingStore(capabilities: Capabilities): DataStore {
  const fail = () => {
    throw new Error("out of order");
  };
  const part = new Proxy({}, { get: () => fail });
  return new Proxy({} as DataStore, {
    get: (_, key) => {
      if (key === "capabilities") return capabilities;
      // A store that is awaited must not be taken for a promise.
      if (key === "then") return undefined;
      return key === "messages" || key === "state" ? part : fail;
    },
  });
}

function constantStore(capabilities: Capabilities): DataStore {
  const message = { id: "constant", type: "Constant", data: null, createdAt: "2024-01-01T00:00:00Z" };
  const recorded = { ...message, stream: "constant", offset: 7, globalOffset: 7 };
  const record = { persistenceId: "constant", revision: 7, state: "constant", updatedAt: message.createdAt };
  const listing = async function* () {
    yield* [] as never[];
  };
  const cursor = {
    next: async () => {},
    tryNext: async () => false,
    get: () => recorded,
    offset: () => 7,
    close: async () => {},
    [Symbol.asyncIterator]: listing,
    [Symbol.asyncDispose]: async () => {},
  };
  const messages = {
    appendMessages: async () => {},
    openStream: async () => cursor,
    followStream: async () => cursor,
    nextOffset: async () => 7,
    listStreams: listing,
    // The constant adapter denies its power where it has it, and claims it where it has not.
    ...(capabilities.globalOrder ? {} : { openGlobal: async () => cursor, nextGlobalOffset: async () => 7 }),
  };
  const state = {
    load: async () => record,
    upsert: async () => record,
    delete: async () => record,
    listPersistenceIds: listing,
  };
  const store = { id: "constant", messages, state, capabilities, transaction: async () => undefined };
  return { ...store, close: async () => {}, [Symbol.asyncDispose]: async () => {} } as unknown as DataStore;
}

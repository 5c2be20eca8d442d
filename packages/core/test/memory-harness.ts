import { randomUUID } from "node:crypto";
import { driverFaults } from "../src/conformance/driver-faults.ts";
import type { Harness } from "../src/conformance/harness.ts";
import { MemoryDataStore } from "../src/memory/memory-data-store.ts";

/** Memory is not durable: each open is a fresh store, whatever the place is called. */
export const memoryHarness: Harness = {
  name: "memory",
  capabilities: { globalOrder: true, transactions: "store", durable: false, noticeMs: 0 },
  create: async () => randomUUID(),
  open: (_, options) => MemoryDataStore.open(options),
  destroy: async () => {},
  faults: driverFaults,
};

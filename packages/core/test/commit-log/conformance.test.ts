import { randomUUID } from "node:crypto";
import { describe, test } from "vitest";
import { openLogDriver } from "../../src/commit-log/index.ts";
import { conformance } from "../../src/conformance/conformance.ts";
import { driverFaults } from "../../src/conformance/driver-faults.ts";
import type { Harness } from "../../src/conformance/harness.ts";
import { DriverDataStore } from "../../src/store/driver-data-store.ts";
import { openStore } from "../../src/store/open-store.ts";
import { MemoryLog, type MemoryWorld, memoryWorld } from "./memory-log.ts";

/** The engine on the plainest log, merging all the time. Several stores of one place share it in this process. */
function harness(name: string, mergeAfter: { readonly blocks: number; readonly bytes: number }): Harness {
  const worlds = new Map<string, MemoryWorld>();
  return {
    name,
    capabilities: { globalOrder: true, transactions: "store", durable: true, noticeMs: 25 },
    async create() {
      const place = randomUUID();
      worlds.set(place, memoryWorld());
      return place;
    },
    open: (place, options) =>
      openStore(options ?? {}, { noticeMs: 25 }, async (settings) => {
        const log = new MemoryLog(worlds.get(place) ?? memoryWorld(), mergeAfter);
        return new DriverDataStore(await openLogDriver(log), settings);
      }),
    async destroy(place) {
      worlds.delete(place);
    },
    faults: driverFaults,
  };
}

conformance({ describe, test }, harness("commit log, merging all the time", { blocks: 3, bytes: 100_000 }));

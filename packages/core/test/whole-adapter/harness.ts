import { randomUUID } from "node:crypto";
import type { Harness } from "../../src/conformance/harness.ts";
import type { Capabilities } from "../../src/contract/data-store.ts";
import { MapDataStore } from "./map-data-store.ts";

/** The same adapter with more and with fewer powers: both ways of the contract are judged. */
export function mapHarness(powers: Pick<Capabilities, "globalOrder" | "transactions">): Harness {
  return {
    name: `whole adapter (transactions by ${powers.transactions})`,
    capabilities: { ...powers, durable: false, noticeMs: 0 },
    create: async () => randomUUID(),
    open: async () => new MapDataStore(powers),
    destroy: async () => {},
  };
}

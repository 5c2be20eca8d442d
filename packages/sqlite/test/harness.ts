import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Harness } from "@holdfast/core/conformance";
import { SqliteDataStore } from "@holdfast/sqlite";
import { freshFolder } from "@holdfast/test-kit";
import { faults } from "./faults.ts";

/** A place is a folder of its own that holds one database file. */
const harness: Harness = {
  name: "sqlite",
  capabilities: { globalOrder: true, transactions: "store", durable: true, noticeMs: 25 },
  module: import.meta.url,
  create: freshFolder,
  open: (place, options) => SqliteDataStore.open({ ...options, path: join(place, "store.db") }),
  destroy: (place) => rm(place, { recursive: true, force: true }),
  faults,
};

export default harness;

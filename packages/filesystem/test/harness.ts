import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Harness } from "@holdfast/core/conformance";
import { FilesystemDataStore } from "@holdfast/filesystem";
import { freshFolder } from "@holdfast/test-kit";
import { faults } from "./faults.ts";

/** A place is a folder of its own that holds one store's folder. */
const harness: Harness = {
  name: "filesystem",
  capabilities: { globalOrder: true, transactions: "store", durable: true, noticeMs: 25 },
  module: import.meta.url,
  create: freshFolder,
  open: (place, options) => FilesystemDataStore.open({ ...options, directory: join(place, "store") }),
  destroy: (place) => rm(place, { recursive: true, force: true }),
  faults,
};

export default harness;

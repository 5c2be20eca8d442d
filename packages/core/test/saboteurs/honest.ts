import type { Harness } from "../../src/conformance/harness.ts";
import type { GloballyOrderedDriver, StoreDriver } from "../../src/driver/index.ts";
import { inMemory, onFile } from "./places.ts";

/** The controls: the stores that the saboteurs are made of, without a lie. All of the suite passes on them. */
export const honestMemory: Harness = inMemory("honest memory");
export const honestFile: Harness = onFile("honest file", { withPeers: true });
/** As it, but alone: what most saboteurs on files are made of. */
export const honestLoneFile: Harness = onFile("honest lone file", { file: { sync: false } });

const keys = (honest: GloballyOrderedDriver): StoreDriver => ({
  storeId: honest.storeId,
  transactions: "key",
  durable: honest.durable,
  noticeMs: honest.noticeMs,
  maxGroupBytes: honest.maxGroupBytes,
  commit: (commits, deadline) => honest.commit(commits, deadline),
  nextOffset: (stream) => honest.nextOffset(stream),
  readStream: async (stream, from, limit) =>
    (await honest.readStream(stream, from, limit)).map((message) => ({ ...message, globalOffset: undefined })),
  readState: (id) => honest.readState(id),
  readReceipt: (id, revision) => honest.readReceipt(id, revision),
  listStreams: (prefix, after) => honest.listStreams(prefix, after),
  listStates: (prefix, after) => honest.listStates(prefix, after),
  close: () => honest.close(),
});

/** One key a commit, and no global order. */
export const honestKeys: Harness = inMemory("honest keys", {
  driver: keys,
  capabilities: { globalOrder: false, transactions: "key" },
});

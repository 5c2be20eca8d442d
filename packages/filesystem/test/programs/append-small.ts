import { createEnvelope } from "@holdfast/filesystem";
import { openSmallStore } from "../small-store.ts";

/**
 * One of several processes: appends to a stream of its own and to one that all share, some with a state in one
 * transaction, in a store of tiny files that is merged all the time. Tells how much was acknowledged.
 */
const [, , directory = "", name = "", count = "0"] = process.argv;
const store = await openSmallStore(directory);
let shared = 0;
let conflicts = 0;
for (let offset = 0; offset < Number(count); offset++) {
  const message = createEnvelope({ type: "t", data: { name, offset, filler: "x".repeat(Math.random() * 300) } });
  if (offset % 4 === 0) {
    await store.transaction(async (tx) => {
      void tx.messages.appendMessages(name, offset, [message]);
      void tx.state.upsert(name, offset / 4, { offset });
    });
  } else {
    await store.messages.appendMessages(name, offset, [message]);
  }
  const next = await store.messages.nextOffset("shared");
  try {
    await store.messages.appendMessages("shared", next, [createEnvelope({ type: "t", data: { name } })]);
    shared += 1;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "HOLDFAST_OFFSET_CONFLICT") throw error;
    conflicts += 1;
  }
}
process.send?.({ name, shared, conflicts });
await store.close();
process.disconnect();

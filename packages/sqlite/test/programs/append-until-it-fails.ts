import { createEnvelope, SqliteDataStore } from "@holdfast/sqlite";

/** Appends until a write fails, and tells how, what a second write meets, and what can still be read. */
const [, , path = ""] = process.argv;
const store = await SqliteDataStore.open({ path, settleTimeoutMs: 1_000 });
const append = async (offset: number) => {
  try {
    await store.messages.appendMessages("s", offset, [createEnvelope({ type: "t", data: "x".repeat(2_000) })]);
    return "ok";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};
let acknowledged = await store.messages.nextOffset("s");
let first = "ok";
while (first === "ok") {
  first = await append(acknowledged);
  if (first === "ok") acknowledged += 1;
}
const second = await append(acknowledged);
const readable = await store.messages.nextOffset("s");
let record = 0;
await using cursor = await store.messages.followStream("s", 0);
while (await cursor.tryNext()) record += 1;
process.send?.({ acknowledged, first, second, readable, record });
await store.close();
process.disconnect();

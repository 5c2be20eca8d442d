import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";

/** Appends until a write fails, and tells how, what a second write meets, and what can still be read. */
const [, , directory = "", stream = "s"] = process.argv;
const store = await FilesystemDataStore.open({ directory, settleTimeoutMs: 1_000 });
const append = async (offset: number) => {
  try {
    await store.messages.appendMessages(stream, offset, [createEnvelope({ type: "t", data: offset })]);
    return "ok";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};
let acknowledged = await store.messages.nextOffset(stream);
let first = "ok";
while (first === "ok") {
  first = await append(acknowledged);
  if (first === "ok") acknowledged += 1;
}
const second = await append(acknowledged);
const readable = await store.messages.nextOffset(stream).catch((error: { readonly code: string }) => error.code);
process.send?.({ acknowledged, first, second, readable });
await store.close();
process.disconnect();

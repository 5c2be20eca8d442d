import { FilesystemDataStore } from "@holdfast/filesystem";

/** Says that it follows a stream, and tells each message of it, until it is told to end. */
const [, , directory = "", stream = "s"] = process.argv;
const store = await FilesystemDataStore.open({ directory });
const cursor = await store.messages.followStream(stream, 0);
const stop = new AbortController();
process.once("message", () => stop.abort());
process.send?.("following");
try {
  for (;;) {
    await cursor.next({ signal: stop.signal });
    process.send?.(cursor.get().data);
  }
} catch (error) {
  if (!stop.signal.aborted) process.send?.((error as { readonly code?: unknown }).code ?? String(error));
}
await cursor.close();
await store.close();
process.disconnect();

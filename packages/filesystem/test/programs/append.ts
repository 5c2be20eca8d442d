import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";

/** Opens a store and appends: `count` times `group` appends at once, each of `size` messages to a stream of its own. */
const [, , directory = "", count = "0", group = "1", size = "1"] = process.argv;
const store = await FilesystemDataStore.open({ directory });
for (let turn = 0; turn < Number(count); turn++) {
  const appends = Array.from({ length: Number(group) }, async (_, stream) => {
    const name = `s${stream}`;
    const messages = Array.from({ length: Number(size) }, () => createEnvelope({ type: "t", data: turn }));
    await store.messages.appendMessages(name, turn * Number(size), messages);
  });
  await Promise.all(appends);
}
process.send?.(await store.messages.nextGlobalOffset());
await store.close();
if (process.send !== undefined) process.disconnect();

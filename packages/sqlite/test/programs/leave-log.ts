import { createEnvelope, SqliteDataStore } from "@holdfast/sqlite";

/** Makes commits number `from` to before `end`, each of `size` messages and a state, and dies with its log left behind. */
const [, , path = "", from, end, size] = process.argv;
const store = await SqliteDataStore.open({ path });
let offset = await store.messages.nextOffset("s");
for (let commit = Number(from); commit < Number(end); commit++) {
  const messages = Array.from({ length: Number(size) }, () =>
    createEnvelope({ type: "t", data: { commit, filler: "x".repeat(300) } }),
  );
  await store.transaction(async (tx) => {
    void tx.messages.appendMessages("s", offset, messages);
    void tx.state.upsert("p", commit, { commit });
  });
  offset += messages.length;
}
process.kill(process.pid, "SIGKILL");

import { createEnvelope, SqliteDataStore } from "@holdfast/sqlite";

/**
 * Appends batches of random sizes to a few streams, some with a state in one transaction, and tells each that was
 * acknowledged. Every message tells its batch and its place in it.
 */
const [, , path = "", life = ""] = process.argv;
const store = await SqliteDataStore.open({ path });
const appendNext = async (lane: number): Promise<never> => {
  const stream = `stream-${lane}`;
  let offset = await store.messages.nextOffset(stream);
  let { revision } = await store.state.load(stream);
  for (let batch = 0; ; batch++) {
    const size = 1 + Math.floor(Math.random() * 40);
    const messages = Array.from({ length: size }, (_, index) =>
      createEnvelope({ type: "t", data: { life, batch, size, index, filler: "x".repeat(Math.random() * 500) } }),
    );
    if (batch % 3 === 0) {
      await store.transaction(async (tx) => {
        void tx.messages.appendMessages(stream, offset, messages);
        void tx.state.upsert(stream, revision, { upTo: offset + size });
      });
      revision += 1;
    } else {
      await store.messages.appendMessages(stream, offset, messages);
    }
    offset += size;
    process.send?.({ stream, next: offset, revision });
  }
};
await Promise.all([0, 1, 2, 3].map(appendNext));

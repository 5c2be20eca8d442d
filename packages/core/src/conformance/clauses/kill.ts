import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { Peer, Place } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import { type Acknowledged, batchSize } from "../process/kill-programs.ts";
import { footprint, message, readAll } from "./fixtures.ts";
import { readOrder } from "./opened.ts";

/** The highest position that was acknowledged, of each stream and state. */
type Acknowledgements = Map<string, number>;

/** Receives reports until `count` came, kills the process amid its work, and takes what it had still said. */
async function killAmid(peer: Peer, count: number, acknowledged: Acknowledgements): Promise<void> {
  const receive = async () => {
    const { place, position } = await peer.report<Acknowledged>();
    acknowledged.set(place, Math.max(position, acknowledged.get(place) ?? 0));
  };
  for (let received = 0; received < count; received++) await receive();
  await peer.kill();
  try {
    for (;;) await receive();
  } catch {
    // It has ended: there are no more reports.
  }
}

/** All that was acknowledged is there, whole and right. */
async function judge(store: DataStore, acknowledged: Acknowledgements): Promise<void> {
  for (const [place, position] of acknowledged) {
    const [kind, name = ""] = place.split(":");
    if (kind === "stream") await judgeStream(store, name, position);
    else await judgeState(store, name, position);
  }
  if (acknowledged.has("stream:both")) {
    const { revision } = await store.state.load("both");
    equal(
      await store.messages.nextOffset("both"),
      revision * batchSize,
      "a stream and a state that each transaction moves on together",
    );
  }
  if (hasGlobalOrder(store)) {
    const order = await readOrder(store);
    equal(
      order.map(({ globalOffset }) => globalOffset),
      order.map((_, offset) => offset),
      "global offsets after the kill",
    );
  }
}

async function judgeStream(store: DataStore, stream: string, acknowledged: number): Promise<void> {
  const next = await store.messages.nextOffset(stream);
  isTrue(
    next >= acknowledged,
    `${stream}: ${acknowledged} messages were acknowledged before the kill`,
    `${next} are there`,
  );
  equal(next % batchSize, 0, `${stream}: a batch of ${batchSize} is there whole or not at all; torn messages`);
  const found = await readAll(store, stream);
  const wanted = Array.from({ length: next }, (_, offset) => [offset, `${stream} ${offset}`]);
  equal(
    found.map(({ offset, data }) => [offset, data]),
    wanted,
    `${stream}: the messages after the kill`,
  );
}

async function judgeState(store: DataStore, id: string, acknowledged: number): Promise<void> {
  const { revision, state } = await store.state.load(id);
  isTrue(revision >= acknowledged, `${id}: revision ${acknowledged} was acknowledged before the kill`, revision);
  equal(state, { revision }, `${id}: the state of revision ${revision} after the kill`);
}

/** Every kind of write, acknowledged, then read after a reopen. */
async function surviveReopen(place: Place): Promise<void> {
  const store = await place.open();
  await store.messages.appendMessages("orders", 0, [message(0), message(1)]);
  await store.state.upsert("kept", 0, { total: 1 });
  await store.state.upsert("kept", 1, { total: 2 });
  await store.state.upsert("gone", 0, 1);
  await store.state.delete("gone", 1);
  await store.state.delete("never", 0);
  await store.transaction((tx) => tx.messages.appendMessages("paid", 0, [message("by transaction")]));
  const look = async (one: DataStore) => ({
    id: one.id,
    footprint: await footprint(one),
    messages: [await readAll(one, "orders"), await readAll(one, "paid")],
    states: await Promise.all(["kept", "gone", "never"].map((id) => one.state.load(id))),
  });
  const before = await look(store);
  equal(
    [before.messages.map((found) => found.length), before.states.map(({ revision }) => revision)],
    [
      [2, 1],
      [2, 2, 1],
    ],
    "what was written, before",
  );
  await store.close();
  const again = await place.open();
  equal(await look(again), before, "the store after a reopen");
  await again.messages.appendMessages("orders", 2, [message(2)]);
  await again.state.upsert("kept", 2, { total: 3 });
  await again.state.upsert("gone", 2, 2);
}

export const survivesKillClause = clause(
  "W-10",
  'an acknowledged write survives a kill of the process and, where the storage is ours (SQLite but for `durability: "process"`, filesystem), a power cut.',
  check({ title: "every kind of write survives a reopen", level: "process" }, async (context) => {
    await surviveReopen(await context.place());
  }),
  check(
    { title: "kill -9 amid the work, several times", level: "process", hook: "module", timeoutMs: 90_000 },
    async (context) => {
      const place = await context.place();
      const acknowledged: Acknowledgements = new Map();
      for (let round = 0; round < 6; round++) {
        const peer = await place.spawn("writeAndTell", { transactions: context.capabilities.transactions });
        await killAmid(peer, 5 + context.random.integer(60), acknowledged);
        const store = await place.open();
        await judge(store, acknowledged);
        await store.close();
      }
      isTrue(acknowledged.size >= 3, "streams and states were acknowledged", acknowledged.size);
    },
  ),
  check(
    {
      title: "kill -9 while another process keeps the store open",
      level: "process",
      hook: "module",
      timeoutMs: 60_000,
    },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      const acknowledged: Acknowledgements = new Map();
      for (let round = 0; round < 2; round++) {
        const peer = await place.spawn("writeAndTell", { transactions: context.capabilities.transactions });
        await killAmid(peer, 5 + context.random.integer(40), acknowledged);
        await judge(store, acknowledged);
        await store.messages.appendMessages(`after-${round}`, 0, [message("the store goes on")]);
      }
    },
  ),
);

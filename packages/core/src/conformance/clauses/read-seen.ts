import type { DataStore } from "../../contract/data-store.ts";
import { hasGlobalOrder } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import { nextTurn, numbered, readAll, started, streamsOf } from "./fixtures.ts";
import { microtasks, opened } from "./opened.ts";

/** Every kind of read sees the message at `offset`, the last one, and the state at `revision`. */
async function seesAll(store: DataStore, stream: string, offset: number, what: string): Promise<void> {
  equal(await store.messages.nextOffset(stream), offset + 1, `${what}: nextOffset`);
  const cursor = await opened(store, stream, offset);
  equal(await cursor.tryNext(), true, `${what}: tryNext of a cursor opened at the message`);
  equal(cursor.get().data, offset, `${what}: the message`);
  equal((await streamsOf(store)).get(stream), offset + 1, `${what}: the stream's nextOffset in the listing`);
  equal((await store.state.load(stream)).revision, offset + 1, `${what}: the revision of a state written after it`);
  if (!hasGlobalOrder(store)) return;
  equal(await store.messages.nextGlobalOffset(), offset + 1, `${what}: nextGlobalOffset`);
  const whole = await store.messages.openGlobal(offset);
  equal(await whole.tryNext(), true, `${what}: tryNext of a cursor over the whole store`);
}

/** `writer` writes, and `reader` reads what was acknowledged at once, again and again. */
async function readsWhatWasWritten(writer: DataStore, reader: DataStore, rounds: number, what: string): Promise<void> {
  const follower = await reader.messages.followStream("orders", 0);
  for (let offset = 0; offset < rounds; offset++) {
    equal(await follower.tryNext(), false, `${what}: tryNext of a cursor at the end`);
    await writer.messages.appendMessages("orders", offset, numbered(offset, 1));
    equal(await follower.tryNext(), true, `${what}: tryNext of a cursor that was at the end before`);
    await writer.state.upsert("orders", offset, { offset });
    await seesAll(reader, "orders", offset, what);
  }
}

/** A check that ran out of time must not go on reading for ever. */
const givingUpMs = 30_000;

/** Reads the tail and the revision in turn, by each store, until the tail is `end`; nothing may go backwards. */
async function neverBackwards(stores: readonly DataStore[], end: number): Promise<void> {
  let [tail, revision] = [0, 0];
  const limit = performance.now() + givingUpMs;
  while (tail < end) {
    isTrue(performance.now() < limit, `the tail comes to ${end}`, `${tail} after ${givingUpMs} ms`);
    // Reads that end within one turn of the event loop would keep the writer from its own.
    await nextTurn();
    for (const store of stores) {
      const next = await store.messages.nextOffset("orders");
      isTrue(next >= tail, `nextOffset is no less than ${tail}, which an earlier read gave`, next);
      tail = next;
      const last = tail === 0 ? undefined : (await readAll(store, "orders", tail - 1))[0];
      if (tail > 0)
        isTrue(last !== undefined, `the message at ${tail - 1}, below the tail that was read, is there`, last);
      const record = await store.state.load<number>("orders");
      isTrue(
        record.revision >= revision,
        `revision is no less than ${revision}, which an earlier read gave`,
        record.revision,
      );
      revision = record.revision;
      if (hasGlobalOrder(store)) {
        const order = await store.messages.nextGlobalOffset();
        isTrue(order >= tail, `nextGlobalOffset is no less than the tail ${tail} that was read`, order);
      }
    }
  }
}

export const seenClause = clause(
  "R-10",
  "once a write is acknowledged every later read, by any process, sees it; no reader, nor a later one, ever goes backwards.",
  check({ title: "by the same DataStore" }, async (context) => {
    const store = await context.store();
    await readsWhatWasWritten(store, store, 8, "the same DataStore");
  }),
  check({ title: "never backwards while writes are under way" }, async (context) => {
    const store = await context.store();
    const writing = started(
      (async () => {
        for (let offset = 0; offset < 40; offset += 2) {
          const append = started(store.messages.appendMessages("orders", offset, numbered(offset, 2)));
          await Promise.all([append, store.state.upsert("orders", offset / 2, offset)]);
        }
      })(),
    );
    await Promise.all([writing, neverBackwards([store], 40), neverBackwards([store], 40)]);
  }),
  check({ title: "reads amid a write, at any of its moments" }, async (context) => {
    await readAmidWrites(await context.store());
  }),
  check({ title: "by another DataStore", level: "process" }, async (context) => {
    const place = await context.place();
    const [one, other] = [await place.open(), await place.open()];
    equal(one.id, other.id, "the id of a store opened twice");
    await readsWhatWasWritten(one, other, 6, "another DataStore");
    await other.messages.appendMessages("orders", 6, numbered(6, 1));
    await other.state.upsert("orders", 6, null);
    await seesAll(one, "orders", 6, "another DataStore");
  }),
  check({ title: "by another process", level: "process", hook: "module", timeoutMs: 30_000 }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const writer = await place.spawn("appendWhenTold", { stream: "orders" });
    for (let offset = 0; offset < 10; offset++) {
      writer.signal();
      await writer.report();
      await store.state.upsert("orders", offset, offset);
      equal(await store.messages.nextOffset("orders"), offset + 1, "nextOffset after another process's append");
      await seesAll(store, "orders", offset, "another process's append");
    }
    const reader = await place.spawn("readBack", { stream: "orders" });
    const { messages, state } = await reader.report<{ messages: Envelope[]; state: unknown }>();
    equal(
      messages.map(({ data }) => data),
      Array.from({ length: 10 }, (_, offset) => offset),
      "what another process reads",
    );
    equal(state, 9, "the state that another process reads");
  }),
  check(
    { title: "never backwards while another process writes", level: "process", hook: "module", timeoutMs: 60_000 },
    async (context) => {
      const place = await context.place();
      const stores = [await place.open(), await place.open()];
      const writer = await place.spawn("appendMany", { stream: "orders", count: 60 });
      const reading = neverBackwards(stores, 60);
      writer.signal();
      await reading;
    },
  ),
);

/** Starts reads at one moment after another of a write that is under way: each sees all of it or nothing. */
async function readAmidWrites(store: DataStore): Promise<void> {
  for (let offset = 0; offset < 48; offset++) {
    const writes = [
      started(store.messages.appendMessages("orders", offset, numbered(offset, 1))),
      started(store.state.upsert("orders", offset, offset)),
    ];
    // Where in a turn a commit goes out is the backend's affair: turns and their parts are both tried.
    for (let turn = 0; turn < offset % 3; turn++) await nextTurn();
    await microtasks(Math.floor(offset / 3));
    const [next, record, all, listed] = await Promise.all([
      store.messages.nextOffset("orders"),
      store.state.load("orders"),
      readAll(store, "orders"),
      streamsOf(store),
    ]);
    isTrue([offset, offset + 1].includes(next), `nextOffset while message ${offset} is written`, next);
    isTrue(
      [offset, offset + 1].includes(record.revision),
      `the revision while ${offset + 1} is written`,
      record.revision,
    );
    isTrue(
      [offset, offset + 1].includes(all.length),
      `how many messages are read while ${offset} is written`,
      all.length,
    );
    isTrue(
      [offset, offset + 1].includes(listed.get("orders") ?? 0),
      `what is listed while ${offset} is written`,
      listed,
    );
    await Promise.all(writes);
  }
}

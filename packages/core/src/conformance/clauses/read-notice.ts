import type { DataStore } from "../../contract/data-store.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, within } from "../expect.ts";
import { message, nextTurn, numbered, started } from "./fixtures.ts";
import { median, microtasks, take, waysToOpen } from "./opened.ts";

/** A bound asked for that polling cannot meet the checks with. */
const hugeMs = 60_000;
const wakeMs = 4_000;

/** Appends message after message, each at another moment of the call that waits for it. */
async function raceWakes(
  cursor: MessageStream,
  store: DataStore,
  start: number,
  rounds: number,
  way: string,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const offset = start + round;
    const waiting = started(cursor.next());
    if (round % 8 === 7) await nextTurn();
    else await microtasks(round % 32);
    const append = started(store.messages.appendMessages("orders", offset, [message(offset)]));
    await within(
      wakeMs,
      waiting,
      `${way}: next is woken by an append of its own DataStore, started ${round % 32} microtasks after it`,
    );
    equal(cursor.get().data, offset, `${way}: the message that woke next`);
    await append;
  }
}

export const noticeClause = clause(
  "R-5",
  "a message acknowledged through the same DataStore reaches its waiting readers without polling, one acknowledged elsewhere within `capabilities.noticeMs` at the median while readers wait and the store (without global order: the stream) had a write in the last 10 s, and within 3 s after a longer silence; no wake-up is lost.",
  check({ title: "the same DataStore: no wake-up is lost", timeoutMs: 60_000 }, async (context) => {
    const store = await context.store({ noticeMs: hugeMs });
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      await raceWakes(await open(end), store, end, 64, way);
    }
  }),
  check({ title: "the same DataStore: every waiting reader, without polling", alone: true }, async (context) => {
    const store = await context.store({ noticeMs: hugeMs });
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursors = await Promise.all(Array.from({ length: 10 }, () => open(end)));
      const tookMs: number[] = [];
      for (let offset = end; offset < end + 11; offset++) {
        const waiting = started(Promise.all(cursors.map((cursor) => cursor.next())));
        await nextTurn();
        await store.messages.appendMessages("orders", offset, [message(offset)]);
        const acknowledged = performance.now();
        await within(wakeMs, waiting, `${way}: ten waiting readers are woken`);
        tookMs.push(performance.now() - acknowledged);
        for (const cursor of cursors) equal(cursor.get().data, offset, `${way}: the message that woke a reader`);
      }
      isTrue(median(tookMs) < 250, `${way}: readers hear of it at once, not in ${hugeMs} ms`, `${median(tookMs)} ms`);
    }
  }),
  check({ title: "the same DataStore: a transaction wakes too" }, async (context) => {
    const store = await context.store({ noticeMs: hugeMs });
    const cursor = await store.messages.followStream("orders", 0);
    const waiting = started(cursor.next());
    await nextTurn();
    await store.transaction((tx) => tx.messages.appendMessages("orders", 0, [message("by transaction")]));
    await within(wakeMs, waiting, "next is woken by a transaction");
    equal(cursor.get().data, "by transaction", "the message that woke next");
  }),
  check(
    {
      title: "another process: within noticeMs at the median",
      level: "process",
      hook: "module",
      timeoutMs: 60_000,
      alone: true,
    },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      const writer = await place.spawn("appendWhenTold", { stream: "orders" });
      for (const [way, open] of waysToOpen(store, "orders")) {
        const end = await store.messages.nextOffset("orders");
        const cursor =
          way === "openStream" && end === 0 ? await store.messages.followStream("orders", 0) : await open(end);
        const tookMs: number[] = [];
        for (let round = 0; round < 21; round++) {
          const waiting = started(cursor.next().then(() => process.hrtime.bigint()));
          // Writes come at any moment of the reader's rhythm, or the rhythm would not be measured.
          await new Promise((resolve) => setTimeout(resolve, context.random.next() * context.capabilities.noticeMs));
          writer.signal();
          const acknowledged = await writer.report<bigint>();
          const heard = await within(wakeMs, waiting, `${way}: next is woken by another process's append`);
          tookMs.push(Number(heard - acknowledged) / 1e6);
        }
        const limit = context.capabilities.noticeMs;
        isTrue(
          median(tookMs) <= limit,
          `${way}: the median notice of another process's append is within ${limit} ms`,
          `${median(tookMs)} ms`,
        );
      }
    },
  ),
  check(
    { title: "another process: no wake-up is lost", level: "process", hook: "module", timeoutMs: 60_000 },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      const count = 100;
      const readers = await Promise.all([0, 1].map(() => store.messages.followStream("orders", 0)));
      const reading = started(Promise.all(readers.map((reader) => take(reader, count))));
      const writer = await place.spawn("appendMany", { stream: "orders", count });
      writer.signal();
      await writer.report();
      for (const seen of await within(wakeMs, reading, "two readers are given all that another process appended")) {
        equal(
          seen.map(({ offset }) => offset),
          Array.from({ length: count }, (_, offset) => offset),
          "offsets seen",
        );
      }
    },
  ),
  check(
    {
      title: "another process: within 3 s after a long silence",
      costly: true,
      level: "process",
      hook: "module",
      timeoutMs: 60_000,
    },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      await store.messages.appendMessages("orders", 0, numbered(0, 1));
      const writer = await place.spawn("appendWhenTold", { stream: "orders" });
      const waiting = waysToOpen(store, "orders").map(async ([way, open]) => {
        const cursor = await open(1);
        await cursor.next();
        return { way, heard: process.hrtime.bigint() };
      });
      const heard = Promise.all(waiting);
      // The silence is what is tried: nothing else can stand for it.
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      writer.signal();
      const acknowledged = await writer.report<bigint>();
      for (const one of await within(wakeMs, heard, "readers hear of an append after a long silence")) {
        const tookMs = Number(one.heard - acknowledged) / 1e6;
        isTrue(tookMs <= 3_000, `${one.way}: within 3 s after a long silence`, `${tookMs} ms`);
      }
    },
  ),
);

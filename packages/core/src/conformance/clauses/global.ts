import { hasGlobalOrder } from "../../contract/data-store.ts";
import type { MessageStore } from "../../contract/message-store.ts";
import type { Clause } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, within } from "../expect.ts";
import { numbered, readAll, streamsOf } from "./fixtures.ts";
import { wholeCommitsClause } from "./global-commits.ts";
import { appendSideBySide, stablePrefixClause } from "./global-readers.ts";
import { realTimeClause } from "./global-time.ts";
import { opened, ordered, readOrder } from "./opened.ts";

const needs = { globalOrder: true } as const;
const endingMs = 5_000;

/** "openGlobal" is no part of what a store without global order offers: this file does not compile otherwise. */
type WithoutOpenGlobal = "openGlobal" extends keyof MessageStore ? false : true;
const withoutOpenGlobal: WithoutOpenGlobal = true;

const dense = clause(
  "G-1",
  "global offsets are dense from 0.",
  check({ title: "over appends, batches, transactions and refused writes", needs }, async (context) => {
    const store = await context.store();
    const messages = ordered(store);
    equal([await messages.nextGlobalOffset(), await readOrder(store)], [0, []], "the order of an empty store");
    await messages.appendMessages("a", 0, numbered(0, 1));
    await messages.appendMessages("b", 0, numbered(0, 3));
    await messages.appendMessages("a", 5, numbered(0, 2)).catch(() => {});
    await messages.appendMessages("b", 1, numbered(0, 2)).catch(() => {});
    await store.state.upsert("a", 0, "no message");
    await store.transaction((tx) => tx.messages.appendMessages("a", 1, numbered(0, 2)));
    await store.transaction((tx) => tx.messages.appendMessages("a", 1, numbered(0, 2))).catch(() => {});
    await Promise.all(["c", "d", "e"].map((stream) => messages.appendMessages(stream, 0, numbered(0, 2))));
    const order = await readOrder(store);
    equal(
      order.map(({ globalOffset }) => globalOffset),
      Array.from({ length: 12 }, (_, offset) => offset),
      "the global offsets of 12 messages",
    );
    equal(await messages.nextGlobalOffset(), 12, "nextGlobalOffset");
    for (const stream of (await streamsOf(store)).keys()) {
      const own = order.filter((one) => one.stream === stream);
      equal(await readAll(store, stream), own, `the messages of stream ${stream}, read alone and in the order`);
    }
  }),
  check({ title: "a cursor from any global offset", needs }, async (context) => {
    const store = await context.store();
    await appendSideBySide([store], 3, 3);
    const order = await readOrder(store);
    for (const [offset, wanted] of order.entries()) {
      const cursor = await ordered(store).openGlobal(offset);
      await within(endingMs, cursor.next(), "next, of a message that is there");
      equal([cursor.offset(), cursor.get()], [offset, wanted], `the first message of openGlobal(${offset})`);
      await cursor.close();
    }
  }),
  check({ title: "after a reopen", needs, level: "process" }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    await appendSideBySide([store], 3, 4);
    const order = await readOrder(store);
    await store.close();
    const again = await place.open();
    equal(await readOrder(again), order, "the order after a reopen");
    await again.messages.appendMessages("later", 0, numbered(0, 2));
    const later = (await readOrder(again)).slice(order.length);
    equal(
      later.map(({ globalOffset }) => globalOffset),
      [order.length, order.length + 1],
      "global offsets after a reopen",
    );
  }),
);

const streamOrder = clause(
  "G-2",
  "each stream's messages keep their order.",
  check({ title: "under writers side by side", needs }, async (context) => {
    const store = await context.store();
    const count = await appendSideBySide([store], 5, 8);
    const order = await readOrder(store);
    equal(order.length, count, "how many messages the order has");
    const next = new Map<string, number>();
    for (const { stream, offset, data } of order) {
      equal(
        [offset, data],
        [next.get(stream) ?? 0, next.get(stream) ?? 0],
        `the next message of ${stream} in the order`,
      );
      next.set(stream, offset + 1);
    }
  }),
);

const noOrder = clause(
  "G-6",
  "without the capability `messages` has no `openGlobal`, in type and at run time.",
  check({ title: "the capability and the method go together" }, async (context) => {
    const store = await context.store();
    const { globalOrder } = context.capabilities;
    equal(store.capabilities.globalOrder, globalOrder, "the store's capability");
    equal(hasGlobalOrder(store), globalOrder, "hasGlobalOrder");
    equal(withoutOpenGlobal, true, "MessageStore has no openGlobal in its type");
    const methods = store.messages as unknown as Record<string, unknown>;
    for (const method of ["openGlobal", "nextGlobalOffset"]) {
      equal(typeof methods[method] === "function", globalOrder, `messages has the method ${method}`);
      equal(method in methods, globalOrder, `"${method}" in messages`);
    }
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    equal(await store.messages.nextOffset("orders"), 1, "nextOffset, whether or not there is a global order");
    if (globalOrder) equal(await ordered(store).nextGlobalOffset(), 1, "nextGlobalOffset, where there is one");
  }),
  check({ title: "a message says no global offset without it", needs: { globalOrder: false } }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    const cursor = await opened(store, "orders");
    await cursor.next();
    equal(cursor.get().globalOffset, undefined, "globalOffset where no global order is kept");
  }),
);

/** G: the one order over all streams. */
export const globalClauses: readonly Clause[] = [
  dense,
  streamOrder,
  realTimeClause,
  stablePrefixClause,
  wholeCommitsClause,
  noOrder,
];

import type { Clause } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { appendCopyClause, appendOrderClause, appendRaceClause } from "./append-concurrency.ts";
import {
  footprint,
  invalidArgument,
  message,
  nextTurn,
  numbered,
  offsetConflict,
  readAll,
  readData,
  streamsOf,
} from "./fixtures.ts";

const a1 = clause(
  "A-1",
  "succeeds exactly when `offset` is the next unused offset at one moment between call and return.",
  check({ title: "at the next unused offset" }, async (context) => {
    const { messages } = await context.store();
    let next = 0;
    for (const count of [1, 1, 3, 2, 10, 1]) {
      await messages.appendMessages("orders", next, numbered(next, count));
      next += count;
      equal(await messages.nextOffset("orders"), next, "the next offset after an append at the one before");
    }
  }),
  check({ title: "at any other offset" }, async (context) => {
    const { messages } = await context.store();
    await messages.appendMessages("orders", 0, numbered(0, 3));
    for (const offset of [0, 1, 2, 4, 5, 1000]) {
      await rejects(messages.appendMessages("orders", offset, numbered(9, 1)), {}, `an append at ${offset} of 3`);
    }
    await messages.appendMessages("orders", 3, numbered(3, 1));
  }),
);

const a2 = clause(
  "A-2",
  "any other offset, taken or beyond the end, is an `OffsetConflictError` whose `nextOffset` is true, and changes nothing.",
  check({ title: "taken and beyond the end" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    await store.messages.appendMessages("orders", 2, numbered(2, 1));
    await store.messages.appendMessages("other", 0, numbered(0, 5));
    const before = await readAll(store, "orders");
    const around = await footprint(store);
    for (const offset of [0, 1, 2, 4, 5, 100, Number.MAX_SAFE_INTEGER]) {
      for (const count of [1, 4]) {
        await rejects(
          store.messages.appendMessages("orders", offset, numbered(90, count)),
          offsetConflict("orders", offset, 3),
          `an append of ${count} at ${offset}, of a stream of 3`,
        );
      }
    }
    equal(await readAll(store, "orders"), before, "the stream after refused appends");
    equal(await footprint(store), around, "the store after refused appends");
  }),
  check({ title: "on a stream that does not exist" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    for (const offset of [1, 2, 1000]) {
      const append = store.messages.appendMessages("absent", offset, numbered(0, 2));
      await rejects(
        append,
        offsetConflict("absent", offset, 0),
        `an append at ${offset} of a stream that does not exist`,
      );
    }
    equal(await footprint(store), before, "the store after refused appends");
    equal(await store.messages.openStream("absent", 0), undefined, "openStream after refused appends");
  }),
  check({ title: "a refused append never lands later" }, async (context) => {
    const store = await context.store();
    await rejects(
      store.messages.appendMessages("orders", 1, numbered(91, 1)),
      offsetConflict("orders", 1, 0),
      "beyond the end",
    );
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    await store.messages.appendMessages("orders", 1, numbered(1, 1));
    equal(await readData(store, "orders"), [0, 1], "the stream after the refused append's place was filled");
  }),
);

const size = 7;

const a3 = clause(
  "A-3",
  "all the messages of a call appear, contiguous and in order, or none; no reader ever sees a part.",
  check({ title: "contiguous and in order" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    await store.messages.appendMessages("orders", 2, numbered(2, 50));
    const found = await readData(store, "orders");
    equal(
      found,
      Array.from({ length: 52 }, (_, index) => index),
      "what was appended, in order",
    );
  }),
  check({ title: "seen by readers beside the writer" }, async (context) => {
    const store = await context.store();
    const reader = await store.messages.followStream("orders", 0);
    let writing = true;
    const write = async () => {
      try {
        for (let next = 0; next < 6 * size; next += size) {
          await store.messages.appendMessages("orders", next, numbered(next, size));
        }
      } finally {
        writing = false;
      }
    };
    const look = async () => {
      for (let looks = 1; writing; looks++) {
        // Mostly at once, to fall between the parts of a write; but a store that needs the event loop must get it.
        if (looks % 3 === 0) await nextTurn();
        equal(
          (await store.messages.nextOffset("orders")) % size,
          0,
          `the next offset, modulo the ${size} of each call`,
        );
        equal(
          (await readAll(store, "orders")).length % size,
          0,
          `the messages to read, modulo the ${size} of each call`,
        );
      }
    };
    const wait = async () => {
      for (let next = 0; next < 6 * size; next += size) {
        await reader.next();
        for (let index = 1; index < size; index++) {
          isTrue(await reader.tryNext(), `message ${index + 1} of ${size} is there as soon as the first is read`);
        }
      }
    };
    await Promise.all([write(), look(), wait()]);
  }),
  check({ title: "none, where one of them is refused" }, async (context) => {
    const store = await context.store();
    const bad = [message(0), message(Number.NaN), message(2)];
    await rejects(store.messages.appendMessages("orders", 0, bad), {}, "a batch with a bad message in the middle");
    equal(await store.messages.nextOffset("orders"), 0, "the next offset after it");
  }),
);

const a4 = clause(
  "A-4",
  "offsets are dense from 0 and what is at an offset never changes.",
  check({ title: "dense, and the same at every later look" }, async (context) => {
    const store = await context.store();
    let seen: unknown[] = [];
    for (const count of [3, 1, 4]) {
      await store.messages.appendMessages("orders", seen.length, numbered(seen.length, count));
      const found = await readAll(store, "orders");
      equal(found.length, seen.length + count, "how many messages there are to read");
      equal(found.slice(0, seen.length), seen, "what was at the offsets before");
      equal(
        found.map((each) => each.offset),
        Array.from(found.keys()),
        "the offsets",
      );
      seen = found;
      // A refused write must leave no trace either.
      await store.messages.appendMessages("orders", 0, numbered(90, 1)).catch(() => {});
    }
    for (const offset of seen.keys()) {
      equal((await readAll(store, "orders", offset))[0], seen[offset], `the first message of a cursor at ${offset}`);
    }
  }),
  check({ title: "the same after a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const first = await place.open();
    await first.messages.appendMessages("orders", 0, numbered(0, 3));
    await first.messages.appendMessages("orders", 3, numbered(3, 2));
    const before = await readAll(first, "orders");
    await first.close();
    const second = await place.open();
    equal(await readAll(second, "orders"), before, "the stream after a reopen");
    await second.messages.appendMessages("orders", 5, numbered(5, 1));
    equal((await readAll(second, "orders")).slice(0, 5), before, "the stream after a reopen and one more append");
  }),
);

const a5 = clause(
  "A-5",
  "offset 0 creates the stream.",
  check({ title: "and nothing before does" }, async (context) => {
    const store = await context.store();
    equal(await store.messages.openStream("orders", 0), undefined, "openStream before the first append");
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    const cursor = await store.messages.openStream("orders", 0);
    isTrue(cursor !== undefined, "openStream gives a cursor after the append at 0");
    equal((await streamsOf(store)).get("orders"), 2, "the next offset that is listed");
  }),
);

const a6 = clause(
  "A-6",
  "an empty batch is an `InvalidArgumentError`.",
  check({ title: "alone and in a transaction" }, async (context) => {
    const store = await context.store();
    for (const offset of [0, 3]) {
      await rejects(store.messages.appendMessages("empty", offset, []), invalidArgument, `an empty batch at ${offset}`);
    }
    const inside = store.transaction(async (tx) => tx.messages.appendMessages("empty", 0, []));
    await rejects(inside, invalidArgument, "an empty batch in a transaction");
    equal(await store.messages.openStream("empty", 0), undefined, "openStream after empty batches");
  }),
);

export const appendClauses: readonly Clause[] = [
  a1,
  a2,
  a3,
  a4,
  a5,
  a6,
  appendRaceClause,
  appendCopyClause,
  appendOrderClause,
];

import { check, clause } from "../define.ts";
import { equal, rejects, within } from "../expect.ts";
import { nextTurn, numbered, started } from "./fixtures.ts";
import { closed, opened, waysToOpen } from "./opened.ts";

const endingMs = 5_000;

export const iterationClause = clause(
  "R-14",
  "iteration starts after the current message; all iterators are this one cursor; leaving the loop closes it; a loop over a cursor that is closed elsewhere rejects with `HOLDFAST_CLOSED`.",
  check({ title: "starts after the current message, and follows" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 4));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(1);
      await cursor.next();
      const seen: unknown[] = [];
      const loop = started(
        (async () => {
          for await (const { data } of cursor) {
            seen.push(data);
            equal(cursor.get().data, data, `${way}: the cursor is where the loop is`);
            if (data === end - 1) await store.messages.appendMessages("orders", end, numbered(end, 2));
            if (data === end + 1) break;
          }
        })(),
      );
      await within(endingMs, loop, `${way}: the loop is given a message that comes while it waits`);
      equal(
        seen,
        Array.from({ length: end }, (_, index) => index + 2),
        `${way}: what the loop saw`,
      );
    }
  }),
  check({ title: "all iterators are one cursor" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 6));
    const cursor = await opened(store, "orders");
    const [one, other] = [cursor[Symbol.asyncIterator](), cursor[Symbol.asyncIterator]()];
    const seen: unknown[] = [];
    for (const iterator of [one, other, other, one]) {
      const step = await iterator.next();
      equal(step.done ?? false, false, "a step of an iterator before the end");
      seen.push(step.value.data, cursor.offset());
    }
    await cursor.next();
    seen.push(cursor.get().data, cursor.offset());
    equal(seen, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], "messages and offsets, by two iterators and next");
  }),
  check({ title: "leaving the loop closes the cursor" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 3));
    const left = async (leave: () => void, what: string) => {
      const cursor = await opened(store, "orders");
      for await (const { data } of cursor) {
        if (data === 0) continue;
        leave();
        break;
      }
      await rejects(cursor.tryNext(), closed, `tryNext after the loop was left ${what}`);
    };
    await left(() => {}, "with break");
    const cursor = await opened(store, "orders");
    const failure = new Error("the loop's own");
    const loop = started(
      (async () => {
        for await (const { data } of cursor) if (data === 1) throw failure;
      })(),
    );
    equal(await loop.catch((error: unknown) => error), failure, "what a loop that throws rejects with");
    await rejects(cursor.tryNext(), closed, "tryNext after the loop was left with an error");
    const other = await opened(store, "orders");
    await other[Symbol.asyncIterator]().return?.();
    await rejects(other.tryNext(), closed, "tryNext after an iterator's return");
  }),
  check({ title: "closed elsewhere" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      for (const closeAt of [0, 1]) {
        const cursor = await open(0);
        const loop = started(
          (async () => {
            for await (const { data } of cursor) {
              if (data !== closeAt) continue;
              if (closeAt === 0) await cursor.close();
              else setImmediate(() => void cursor.close());
            }
          })(),
        );
        const rejected = rejects(loop, closed, `${way}: a loop over a cursor closed at message ${closeAt}`);
        await within(endingMs, rejected, `${way}: the loop ends`);
        await nextTurn();
      }
    }
  }),
);

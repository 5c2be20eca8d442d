import type { DataStore, Transaction } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import {
  footprint,
  gate,
  invalidArgument,
  message,
  nextTurn,
  numbered,
  offsetConflict,
  readData,
  revisionConflict,
  started,
} from "./fixtures.ts";
import { unhandled } from "./unhandled.ts";

const own = new Error("what the work threw");

interface BadWrite {
  /** Makes its calls, the last of which rejects at once, and awaits none. */
  readonly write: (tx: Transaction) => readonly Promise<unknown>[];
  readonly error: Record<string, unknown>;
  readonly what: string;
}

const badWrites: readonly BadWrite[] = [
  {
    write: ({ messages }) => [messages.appendMessages("orders", 0, [])],
    error: invalidArgument,
    what: "an empty batch",
  },
  {
    write: ({ messages }) => [messages.appendMessages("orders", 0, [message(Number.NaN)])],
    error: invalidArgument,
    what: "a bad message",
  },
  { write: ({ state }) => [state.upsert("", 0, 1)], error: invalidArgument, what: "a bad persistence id" },
  { write: ({ state }) => [state.delete("cart", -1)], error: invalidArgument, what: "a bad revision" },
  {
    write: ({ messages }) => [
      messages.appendMessages("orders", 0, numbered(0, 2)),
      messages.appendMessages("orders", 3, numbered(3, 1)),
    ],
    error: offsetConflict("orders", 3, 2),
    what: "an append beyond the transaction's own",
  },
  {
    write: ({ messages }) => [
      messages.appendMessages("orders", 0, numbered(0, 2)),
      messages.appendMessages("orders", 0, numbered(0, 1)),
    ],
    error: offsetConflict("orders", 0, 2),
    what: "an append at an offset that the transaction has taken",
  },
  {
    write: ({ state }) => [state.upsert("cart", 0, "first"), state.upsert("cart", 0, "second")],
    error: revisionConflict("cart", 0, 1),
    what: "an upsert at a revision that the transaction has taken",
  },
  {
    write: ({ state }) => [state.delete("cart", 0), state.delete("cart", 2)],
    error: revisionConflict("cart", 2, 1),
    what: "a delete at a revision that the transaction has not reached",
  },
];

async function leavesNothing(store: DataStore, write: () => Promise<void>): Promise<void> {
  const before = await footprint(store);
  await write();
  equal(await footprint(store), before, "the store after a transaction that was rejected");
  equal((await store.state.load("cart")).revision, 0, "the record after a transaction that was rejected");
}

export const w2 = clause(
  "W-2",
  "a write belongs to the commit from its call, awaited or not. It rejects at once only for its arguments or for a clash with the transaction's own earlier writes, or its signal, and then the whole transaction rejects with that error (the first of them) even if `work` caught it or throws another; its own rejection never goes unhandled; clashes with the store reject `transaction` at the commit, the first in order, and nothing is written.",
  check({ title: "writes that are not awaited" }, async (context) => {
    const store = await context.store();
    const given = await store.transaction(({ messages }) => {
      void messages.appendMessages("orders", 0, numbered(0, 2));
      void messages.appendMessages("orders", 2, numbered(2, 1));
      return "given";
    });
    equal(given, "given", "what the transaction gives");
    equal(await readData(store, "orders"), [0, 1, 2], "the stream");
    await store.transaction(async ({ state }) => {
      void state.upsert("cart", 0, "first");
      await nextTurn();
      void state.delete("cart", 1);
      void state.upsert("cart", 2, "last");
    });
    const { revision, state } = await store.state.load("cart");
    equal({ revision, state }, { revision: 3, state: "last" }, "the record");
  }),
  check({ title: "the write's error is the transaction's" }, async (context) => {
    const store = await context.store();
    for (const { write, error, what } of badWrites) {
      await leavesNothing(store, async () => {
        await rejects(
          store.transaction((tx) => Promise.all(write(tx))),
          error,
          `a transaction whose work passes on the error of ${what}`,
        );
        await rejects(
          store.transaction((tx) => void Promise.allSettled(write(tx))),
          error,
          `a transaction that does not await ${what}`,
        );
        const caught: unknown[] = [];
        const catching = store.transaction((tx) =>
          Promise.all(write(tx)).catch((reason: unknown) => caught.push(reason)),
        );
        const failure = await rejects(catching, error, `a transaction whose work catches the error of ${what}`);
        isTrue(caught[0] === failure, `the transaction rejects with the very error of ${what}`, caught[0]);
        const throwing = store.transaction(async (tx) => {
          await Promise.allSettled(write(tx));
          throw own;
        });
        await rejects(throwing, error, `a transaction whose work throws another error after ${what}`);
      });
    }
  }),
  check({ title: "the first error of several" }, async (context) => {
    const store = await context.store();
    await leavesNothing(store, async () => {
      const several = store.transaction(async ({ state }) => {
        await state.upsert("cart", 0, "good");
        await state.upsert("cart", 5, "first clash").catch(() => {});
        await state.upsert("cart", 7, "second clash").catch(() => {});
        await state.upsert("", 0, "bad argument").catch(() => {});
        await state.upsert("cart", 1, "good again").catch(() => {});
      });
      await rejects(several, revisionConflict("cart", 5, 1), "a transaction of several bad writes");
    });
  }),
  check({ title: "the write's signal" }, async (context) => {
    const store = await context.store();
    await leavesNothing(store, async () => {
      const reason = new Error("aborted by the caller");
      const aborted = { signal: AbortSignal.abort(reason) };
      const caught: unknown[] = [];
      const transaction = store.transaction(async ({ state }) => {
        await state.upsert("cart", 0, 1);
        await state.upsert("cart", 1, 2, aborted).catch((error) => caught.push(error));
      });
      isTrue(
        (await rejects(transaction, {}, "a transaction with an aborted write")) === reason,
        "it rejects with the signal's reason",
      );
      equal(caught, [reason], "what the aborted write rejects with");
    });
  }),
  check({ title: "what the work throws, where no write failed" }, async (context) => {
    const store = await context.store();
    await leavesNothing(store, async () => {
      for (const settle of [
        (): never => {
          throw own;
        },
        () => Promise.reject(own),
      ]) {
        const transaction = store.transaction(async (tx) => {
          await tx.state.upsert("cart", 0, "good");
          await settle();
        });
        isTrue(
          (await rejects(transaction, {}, "a transaction whose work throws")) === own,
          "it rejects with what the work threw",
        );
      }
    });
  }),
  check({ title: "no rejection goes unhandled", alone: true }, async (context) => {
    const store = await context.store();
    const found = await unhandled(async () => {
      for (const { write, error, what } of badWrites) {
        const open = gate();
        const transaction = started(
          store.transaction(async (tx) => {
            write(tx);
            await open.opened;
          }),
        );
        await nextTurn();
        open.open();
        await rejects(transaction, error, `a transaction that does not await ${what}`);
      }
    });
    equal(found, [], "the rejections that went unhandled");
  }),
  check({ title: "clashes with the store, at the commit" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 3));
    await store.state.upsert("cart", 0, "kept");
    const before = await footprint(store);
    const passed: string[] = [];
    const append = store.transaction(async ({ messages }) => {
      await messages.appendMessages("orders", 1, numbered(91, 2));
      await messages.appendMessages("orders", 3, numbered(93, 1));
      passed.push("append");
    });
    await rejects(append, offsetConflict("orders", 1, 3), "a transaction whose append is at a taken offset");
    const beyond = store.transaction(({ messages }) => messages.appendMessages("orders", 4, numbered(94, 1)));
    await rejects(beyond, offsetConflict("orders", 4, 3), "a transaction whose append is beyond the end");
    const upsert = store.transaction(async ({ state }) => {
      await state.upsert("cart", 0, "stale");
      await state.delete("cart", 1);
      passed.push("upsert");
    });
    await rejects(upsert, revisionConflict("cart", 0, 1), "a transaction whose upsert is stale");
    equal(passed, ["append", "upsert"], "the writes that did not reject before the commit");
    equal(await footprint(store), before, "the store after them");
    equal((await store.state.load("cart")).state, "kept", "the record after them");
  }),
  check({ title: "the first clash in order", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    await store.state.upsert("cart", 0, "kept");
    const before = await footprint(store);
    const streamFirst = store.transaction(async ({ messages, state }) => {
      await state.upsert("good", 0, 1);
      await messages.appendMessages("orders", 0, numbered(9, 1));
      await state.upsert("cart", 0, "stale");
    });
    await rejects(streamFirst, offsetConflict("orders", 0, 1), "a transaction whose append clashes first");
    const stateFirst = store.transaction(async ({ messages, state }) => {
      await state.upsert("cart", 0, "stale");
      await messages.appendMessages("orders", 0, numbered(9, 1));
      await state.upsert("good", 0, 1);
    });
    await rejects(stateFirst, revisionConflict("cart", 0, 1), "a transaction whose upsert clashes first");
    equal(await footprint(store), before, "the store after them");
  }),
);

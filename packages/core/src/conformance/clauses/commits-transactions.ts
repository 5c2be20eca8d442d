import type { Transaction } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import {
  footprint,
  gate,
  invalidArgument,
  message,
  numbered,
  offsetConflict,
  readData,
  revisionConflict,
  started,
} from "./fixtures.ts";

export const w7 = clause(
  "W-7",
  "the writes of a transaction apply in order, each on top of the earlier ones, and `tx` reads see them; nothing outside does before the commit.",
  check({ title: "states" }, async (context) => {
    const store = await context.store();
    await store.state.upsert("cart", 0, "before");
    await store.transaction(async ({ state }) => {
      equal((await state.load("cart")).state, "before", "the state that was there");
      equal((await state.upsert("cart", 1, "first")).revision, 2, "the revision that the first upsert gives");
      equal((await state.delete("cart", 2)).revision, 3, "the revision that a delete on top of it gives");
      const { revision, state: deleted } = await state.load("cart");
      equal({ revision, deleted }, { revision: 3, deleted: undefined }, "the record, deleted in the transaction");
      equal((await state.upsert("cart", 3, "last")).revision, 4, "the revision that an upsert on top of it gives");
      const inside = await state.load("cart");
      equal([inside.revision, inside.state], [4, "last"], "the record as the transaction wrote it");
      const outside = await store.state.load("cart");
      equal([outside.revision, outside.state], [1, "before"], "the record outside, before the commit");
    });
    const after = await store.state.load("cart");
    equal([after.revision, after.state], [4, "last"], "the record after the commit");
  }),
  check({ title: "messages" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    await store.transaction(async ({ messages }) => {
      equal(await messages.nextOffset("orders"), 1, "the next offset that was there");
      await messages.appendMessages("orders", 1, numbered(1, 2));
      equal(await messages.nextOffset("orders"), 3, "the next offset in the transaction, after an append of two");
      await messages.appendMessages("orders", 3, numbered(3, 1));
      equal(await messages.nextOffset("orders"), 4, "the next offset in the transaction, after one more");
      equal(await messages.nextOffset("absent"), 0, "the next offset of a stream that does not exist");
      equal(await readData(store, "orders"), [0], "the stream outside, before the commit");
    });
    equal(await readData(store, "orders"), [0, 1, 2, 3], "the stream after the commit");
  }),
  check({ title: "nothing is seen while the work goes on", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const written = gate();
    const looked = gate();
    const transaction = started(
      store.transaction(async ({ messages, state }) => {
        await state.upsert("cart", 0, "new");
        await messages.appendMessages("orders", 0, numbered(0, 1));
        written.open();
        await looked.opened;
      }),
    );
    await Promise.race([written.opened, transaction]);
    equal(await footprint(store), before, "the store while the transaction's work goes on");
    equal((await store.state.load("cart")).revision, 0, "the record while the transaction's work goes on");
    looked.open();
    await transaction;
    equal(await readData(store, "orders"), [0], "the stream after the commit");
  }),
);

const ended = { name: "InvalidStateError", code: "HOLDFAST_TRANSACTION_ENDED" };

async function refusesAll(tx: Transaction, how: string): Promise<void> {
  await rejects(
    tx.messages.appendMessages("orders", 0, numbered(9, 1)),
    ended,
    `appendMessages on a transaction that ${how}`,
  );
  await rejects(tx.messages.nextOffset("orders"), ended, `nextOffset on a transaction that ${how}`);
  await rejects(tx.state.load("cart"), ended, `load on a transaction that ${how}`);
  await rejects(tx.state.upsert("cart", 0, "late"), ended, `upsert on a transaction that ${how}`);
  await rejects(tx.state.delete("cart", 0), ended, `delete on a transaction that ${how}`);
}

export const w8 = clause(
  "W-8",
  "a transaction used after it ended: `HOLDFAST_TRANSACTION_ENDED`.",
  check({ title: "committed, failed and empty" }, async (context) => {
    const store = await context.store();
    const committed = await store.transaction(async (tx) => {
      await tx.state.upsert("other", 0, 1);
      return { tx };
    });
    await refusesAll(committed.tx, "was committed");
    const empty = await store.transaction((tx) => ({ tx }));
    await refusesAll(empty.tx, "wrote nothing");
    const failed: Transaction[] = [];
    const failure = new Error("the work failed");
    const fail = (tx: Transaction) => {
      failed.push(tx);
      throw failure;
    };
    await rejects(store.transaction(fail), { message: failure.message }, "a transaction whose work throws");
    for (const tx of failed) await refusesAll(tx, "failed");
    equal((await store.state.load("cart")).revision, 0, "the record after late writes");
    equal(await store.messages.nextOffset("orders"), 0, "the stream after late writes");
  }),
);

export const w9 = clause(
  "W-9",
  'where transactions are "key", a commit over two keys is an `UnsupportedError`.',
  check({ title: "two keys of any kind", needs: { transactions: "key" } }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const unsupported = { name: "UnsupportedError", code: "HOLDFAST_UNSUPPORTED" };
    const append = (tx: Transaction, stream: string) => tx.messages.appendMessages(stream, 0, numbered(0, 1));
    const pairs: ((tx: Transaction) => Promise<unknown>[])[] = [
      (tx) => [append(tx, "one"), append(tx, "other")],
      (tx) => [tx.state.upsert("one", 0, 1), tx.state.upsert("other", 0, 1)],
      (tx) => [tx.state.upsert("one", 0, 1), tx.state.delete("other", 0)],
      // A stream and a persistence id of the same name are two keys as well.
      (tx) => [append(tx, "one"), tx.state.upsert("one", 0, 1)],
    ];
    for (const pair of pairs) {
      await rejects(
        store.transaction((tx) => Promise.allSettled(pair(tx))),
        unsupported,
        "a transaction over two keys",
      );
    }
    equal(await footprint(store), before, "the store after transactions over two keys");
  }),
  check({ title: "two keys, where a commit may write any", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    await store.transaction((tx) =>
      Promise.all([tx.messages.appendMessages("one", 0, numbered(0, 1)), tx.state.upsert("one", 0, 1)]),
    );
    equal(await store.messages.nextOffset("one"), 1, "the stream of a commit over two keys");
    equal((await store.state.load("one")).revision, 1, "the state of a commit over two keys");
  }),
);

export const w11 = clause(
  "W-11",
  "`tx` reads are live reads overlaid with the transaction's own writes, not a snapshot, and not checked at commit: only the records and streams it writes are guarded.",
  check({ title: "reads are live, and are no guard" }, async (context) => {
    const store = await context.store();
    await store.transaction(async ({ messages, state }) => {
      equal((await state.load("read")).revision, 0, "a record, before it is written outside");
      equal(await messages.nextOffset("stream read"), 0, "a stream, before it is written outside");
      await store.state.upsert("read", 0, "outside");
      await store.messages.appendMessages("stream read", 0, numbered(0, 1));
      equal((await state.load("read")).state, "outside", "a record, after it was written outside");
      equal(await messages.nextOffset("stream read"), 1, "a stream, after it was written outside");
      await state.upsert("written", 0, "inside");
      equal((await state.load("written")).state, "inside", "a record that the transaction wrote");
      await store.state.upsert("read", 1, "outside again");
    });
    equal((await store.state.load("written")).state, "inside", "the record that was committed");
  }),
  check({ title: "what is written is guarded" }, async (context) => {
    const store = await context.store();
    const overtakenState = store.transaction(async ({ state }) => {
      await state.upsert("written", 0, "inside");
      await store.state.upsert("written", 0, "outside");
    });
    await rejects(overtakenState, revisionConflict("written", 0, 1), "a transaction whose record was written outside");
    equal((await store.state.load("written")).state, "outside", "the record");
    const overtakenStream = store.transaction(async ({ messages }) => {
      await messages.appendMessages("orders", 0, [message("inside")]);
      await store.messages.appendMessages("orders", 0, [message("outside")]);
    });
    await rejects(overtakenStream, offsetConflict("orders", 0, 1), "a transaction whose stream was written outside");
    equal(await readData(store, "orders"), ["outside"], "the stream");
  }),
);

export const w13 = clause(
  "W-13",
  "an empty transaction sends nothing; inside a transaction a single write's `commitId` is an `InvalidArgumentError`.",
  check({ title: "an empty transaction" }, async (context) => {
    const store = await context.store();
    await store.state.upsert("cart", 0, 1);
    const before = await footprint(store);
    equal(await store.transaction(() => "returned"), "returned", "what an empty transaction gives");
    const read = store.transaction(async ({ state }) => (await state.load("cart")).revision, { commitId: "empty" });
    equal(await read, 1, "what a transaction that only reads gives");
    await store.transaction(({ state }) => state.load("cart"), { commitId: "empty" });
    equal(await footprint(store), before, "the store after empty transactions");
    equal((await store.state.load("cart")).revision, 1, "the record that was read");
  }),
  check(
    { title: "an empty transaction needs no sync", level: "fault", needs: { durable: true }, hook: "failSync" },
    async (context) => {
      const store = await context.store();
      await context.faults.failSync?.(store);
      equal(
        await store.transaction(() => "returned"),
        "returned",
        "what an empty transaction gives where a sync would fail",
      );
    },
  ),
  check({ title: "a single write's commitId" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const commitId = "single";
    const writes: ((tx: Transaction) => Promise<unknown>)[] = [
      (tx) => tx.messages.appendMessages("orders", 0, numbered(0, 1), { commitId }),
      (tx) => tx.state.upsert("cart", 0, 1, { commitId }),
      (tx) => tx.state.delete("cart", 0, { commitId }),
    ];
    for (const write of writes)
      await rejects(store.transaction(write), invalidArgument, "a commitId inside a transaction");
    equal(await footprint(store), before, "the store after them");
    equal((await store.state.load("cart")).revision, 0, "the record after them");
  }),
);

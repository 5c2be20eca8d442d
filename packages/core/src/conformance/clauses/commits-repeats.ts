import type { OutcomeUnknownError } from "../../contract/errors.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import {
  footprint,
  invalidArgument,
  message,
  numbered,
  offsetConflict,
  readData,
  revisionConflict,
} from "./fixtures.ts";

/** How many later revisions may lie over a state write that is repeated. */
const window = 8;

const unknown = { name: "OutcomeUnknownError", code: "HOLDFAST_OUTCOME_UNKNOWN" };
const first = { commitId: "first" };
const second = { commitId: "second" };

export const w3 = clause(
  "W-3",
  "a write repeated with the same `commitId` and the same content, after it took effect, is acknowledged again and applied once (for states: as long as at most 8 later revisions lie over it; a later repeat is a `RevisionConflictError` that says nothing about the first call). The same `commitId` with other content at the same place (stream and offset, or persistence id and expected revision) is an `InvalidArgumentError`; at another place it is a separate commit. A transaction's content is its list of writes (content is what the caller passed, as encoded; `updatedAt` is no part of it, and a repeat may return its own; a transaction took effect if any of its places still shows its commit id and content); to retry one after an unknown outcome use `settle`, not a second run of `work`.",
  check({ title: "appends repeated" }, async (context) => {
    const store = await context.store();
    const { messages } = store;
    const batch = [message(0, { metadata: { a: "b" } }), message({ n: 1 }), message(new Uint8Array([2]))];
    await Promise.all([
      messages.appendMessages("orders", 0, batch, first),
      messages.appendMessages("orders", 0, batch, first),
    ]);
    await messages.appendMessages("orders", 0, batch, first);
    await messages.appendMessages("orders", 3, numbered(3, 20));
    // The same content, made anew.
    await messages.appendMessages("orders", 0, structuredClone(batch), first);
    equal((await readData(store, "orders")).slice(0, 4), [0, { n: 1 }, new Uint8Array([2]), 3], "the stream");
    equal(await messages.nextOffset("orders"), 23, "the next offset: every append applied once");
  }),
  check({ title: "an append of other content at the same place" }, async (context) => {
    const store = await context.store();
    const { messages } = store;
    const batch = numbered(0, 3);
    await messages.appendMessages("orders", 0, batch, first);
    const others = [
      numbered(0, 3),
      batch.slice(0, 2),
      [...batch, message(3)],
      [...batch].reverse(),
      [message("other")],
    ];
    for (const other of others) {
      await rejects(
        messages.appendMessages("orders", 0, other, first),
        invalidArgument,
        "other content at the same offset",
      );
    }
    equal(await readData(store, "orders"), [0, 1, 2], "the stream after repeats with other content");
  }),
  check({ title: "an append at another place" }, async (context) => {
    const store = await context.store();
    const { messages } = store;
    const batch = numbered(0, 3);
    await messages.appendMessages("orders", 0, batch, first);
    await messages.appendMessages("other", 0, batch, first);
    await messages.appendMessages("orders", 3, batch, first);
    equal(
      await readData(store, "orders"),
      [0, 1, 2, 0, 1, 2],
      "the stream to which the batch was appended at two offsets",
    );
    equal(await readData(store, "other"), [0, 1, 2], "the other stream");
    const inside = messages.appendMessages("orders", 1, batch.slice(1), first);
    await rejects(
      inside,
      offsetConflict("orders", 1, 6),
      "an append in the middle of the batch, which is a place of its own",
    );
    await rejects(
      messages.appendMessages("orders", 0, batch, second),
      offsetConflict("orders", 0, 6),
      "another commit id",
    );
    await rejects(messages.appendMessages("orders", 0, batch), offsetConflict("orders", 0, 6), "no commit id");
  }),
  check({ title: "states repeated" }, async (context) => {
    const { state } = await context.store();
    const write = () => state.upsert("cart", 0, { items: [1] }, first);
    const [written] = await Promise.all([write(), write()]);
    for (let later = 0; later <= window; later++) {
      const again = await write();
      equal(
        [again.revision, again.state],
        [1, { items: [1] }],
        `the record of a repeat under ${later} later revisions`,
      );
      equal((await state.load("cart")).revision, 1 + later, "the revision after the repeat");
      if (later < window) await state.upsert("cart", 1 + later, { later });
    }
    await state.upsert("cart", 1 + window, "last");
    const conflict = revisionConflict("cart", 0, 2 + window);
    await rejects(write(), conflict, `a repeat under ${window + 1} later revisions`);
    equal(
      [written.revision, (await state.load("cart")).state],
      [1, "last"],
      "the record, to which each write was applied once",
    );
  }),
  check({ title: "deletes repeated" }, async (context) => {
    const { state } = await context.store();
    await state.upsert("cart", 0, 1);
    equal((await state.delete("cart", 1, first)).revision, 2, "the revision of a delete");
    equal((await state.delete("cart", 1, first)).revision, 2, "the revision of the delete, repeated");
    await state.upsert("cart", 2, "later");
    equal(
      (await state.delete("cart", 1, first)).revision,
      2,
      "the revision of the delete, repeated under a later state",
    );
    equal((await state.load("cart")).state, "later", "the state after the repeats");
  }),
  check({ title: "a state of other content, or at another place" }, async (context) => {
    const { state } = await context.store();
    await state.upsert("cart", 0, { items: 1 }, first);
    await rejects(state.upsert("cart", 0, { items: 2 }, first), invalidArgument, "other content at the same revision");
    await rejects(state.delete("cart", 0, first), invalidArgument, "a delete in place of the upsert");
    await rejects(state.upsert("cart", 0, { items: 1 }, second), revisionConflict("cart", 0, 1), "another commit id");
    equal((await state.load("cart")).revision, 1, "the revision after refused repeats");
    equal((await state.upsert("cart", 1, { items: 1 }, first)).revision, 2, "the same at another revision");
    equal((await state.upsert("other", 0, { items: 1 }, first)).revision, 1, "the same at another persistence id");
  }),
  check({ title: "transactions repeated" }, async (context) => {
    const store = await context.store();
    const run = (last: unknown, commitId = "first") =>
      store.transaction(
        async ({ state }) => {
          await state.upsert("cart", 0, "one");
          await state.upsert("cart", 1, last);
        },
        { commitId },
      );
    await run("two");
    await run("two");
    await store.state.upsert("cart", 2, "three");
    await run("two");
    await rejects(run("other"), invalidArgument, "a transaction of other content with the same commit id");
    await rejects(run("two", "second"), revisionConflict("cart", 0, 3), "the same transaction with another commit id");
    const { revision, state } = await store.state.load("cart");
    equal(
      { revision, state },
      { revision: 3, state: "three" },
      "the record, to which the transaction was applied once",
    );
  }),
  check({ title: "transactions over several keys repeated", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    const batch = numbered(0, 2);
    const run = (items: number) =>
      store.transaction(async ({ messages, state }) => {
        await state.upsert("cart", 0, { items });
        await messages.appendMessages("orders", 0, batch);
      }, first);
    await run(1);
    // Past its window the record tells nothing any more, but the stream still does.
    for (let revision = 1; revision < 12; revision++) await store.state.upsert("cart", revision, { revision });
    const before = await footprint(store);
    await run(1);
    await rejects(run(2), invalidArgument, "a transaction of other content with the same commit id");
    equal(await footprint(store), before, "the store after the repeats");
    equal((await store.state.load("cart")).revision, 12, "the revision after the repeats");
  }),
  check({ title: "after a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const batch = numbered(0, 2);
    for (let opens = 0; opens < 3; opens++) {
      const store = await place.open();
      await store.messages.appendMessages("orders", 0, batch, first);
      await store.state.upsert("cart", 0, { items: 1 }, first);
      await rejects(store.state.upsert("cart", 0, { items: 2 }, first), invalidArgument, "other content");
      equal(await readData(store, "orders"), [0, 1], "the stream");
      equal((await store.state.load("cart")).revision, 1, "the revision");
      await store.close();
    }
  }),
  check({ title: "a transaction settled", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store({ settleTimeoutMs: 100 });
    const run = () =>
      store.transaction(async ({ state }) => {
        await state.upsert("cart", 0, "one");
        await state.delete("cart", 1);
      });
    await context.faults.loseReplies?.(store, Number.MAX_SAFE_INTEGER);
    const [there, refused] = (await Promise.all([
      rejects(run(), unknown, "a transaction whose replies are lost"),
      rejects(run(), unknown, "a transaction that clashes with it, whose replies are lost"),
    ])) as [OutcomeUnknownError, OutcomeUnknownError];
    await context.faults.loseReplies?.(store, 0);
    equal([await there.settle(), await there.settle()], [true, true], "settle of a transaction that took effect");
    equal([await refused.settle(), await refused.settle()], [false, false], "settle of a transaction that was refused");
    equal((await store.state.load("cart")).revision, 2, "the revision: the transaction was applied once");
  }),
);

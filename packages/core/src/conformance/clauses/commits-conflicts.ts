import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { message, nextTurn, numbered, offsetConflict, readData, revisionConflict, started } from "./fixtures.ts";

/** How many later revisions may lie over a state write that is still known. */
const window = 8;

const unknown = { name: "OutcomeUnknownError", code: "HOLDFAST_OUTCOME_UNKNOWN" };
const first = { commitId: "first" };
const second = { commitId: "second" };

export const w4 = clause(
  "W-4",
  "a conflict error means that nothing sent by this call is there or ever will be; where the place is taken (`offset` < `nextOffset`, `expectedRevision` < `actualRevision`) that holds, within W-3's window, for whatever was sent earlier under its `commitId` too; beyond the end it speaks of this call alone. A call that lost a reply and can't be sure (its place is beyond the end and its first request may still land, or the window has passed) rejects with `OutcomeUnknownError`.",
  check({ title: "an append at a taken place" }, async (context) => {
    const store = await context.store();
    const mine = [message("mine")];
    await store.messages.appendMessages("orders", 0, [message("other")]);
    for (const options of [first, first, {}]) {
      const append = store.messages.appendMessages("orders", 0, mine, options);
      await rejects(append, offsetConflict("orders", 0, 1), "an append at a place that another took");
    }
    await store.messages.appendMessages("orders", 1, [message("later")]);
    equal(await readData(store, "orders"), ["other", "later"], "the stream");
  }),
  check({ title: "an append beyond the end" }, async (context) => {
    const store = await context.store();
    const mine = [message("mine")];
    for (const stream of ["filled", "taken by another"]) {
      const append = store.messages.appendMessages(stream, 2, mine, first);
      await rejects(append, offsetConflict(stream, 2, 0), "an append beyond the end");
      await store.messages.appendMessages(stream, 0, numbered(0, 2));
      equal(await readData(store, stream), [0, 1], "the stream, grown to the refused append's place");
    }
    await store.messages.appendMessages("filled", 2, mine, first);
    equal(await readData(store, "filled"), [0, 1, "mine"], "the stream after a repeat, which is a call of its own");
    await store.messages.appendMessages("taken by another", 2, [message("other")]);
    const repeat = store.messages.appendMessages("taken by another", 2, mine, first);
    await rejects(repeat, offsetConflict("taken by another", 2, 3), "a repeat at a place that another took");
  }),
  check({ title: "a state, taken and never reached" }, async (context) => {
    const { state } = await context.store();
    await rejects(state.upsert("cart", 1, "mine", first), revisionConflict("cart", 1, 0), "an upsert at 1 of 0");
    await state.upsert("cart", 0, "other");
    equal((await state.load("cart")).state, "other", "the state, grown to the refused upsert's place");
    await rejects(
      state.upsert("cart", 0, "mine", second),
      revisionConflict("cart", 0, 1),
      "an upsert at a revision that is taken",
    );
    equal((await state.upsert("cart", 1, "mine", first)).revision, 2, "a repeat, which is a call of its own");
    await rejects(
      state.upsert("cart", 0, "mine", second),
      revisionConflict("cart", 0, 2),
      "an upsert at a revision that is taken",
    );
  }),
  check({ title: "a transaction", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    const write = store.transaction(async ({ messages, state }) => {
      await state.upsert("cart", 0, "mine");
      await messages.appendMessages("orders", 1, [message("mine")]);
    });
    await rejects(write, offsetConflict("orders", 1, 0), "a transaction with an append beyond the end");
    await store.messages.appendMessages("orders", 0, [message("other")]);
    equal(await readData(store, "orders"), ["other"], "the stream, grown to the refused append's place");
    equal((await store.state.load("cart")).revision, 0, "the record of the refused transaction");
  }),
  check({ title: "a lost reply is no conflict", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store();
    await context.faults.loseReplies?.(store, 1);
    const [append] = await Promise.allSettled([store.messages.appendMessages("orders", 0, numbered(0, 1))]);
    await context.faults.loseReplies?.(store, 1);
    const [upsert] = await Promise.allSettled([store.state.upsert("cart", 0, 1)]);
    const there = [await store.messages.nextOffset("orders"), (await store.state.load("cart")).revision];
    for (const [index, outcome] of [append, upsert].entries()) {
      const code = outcome?.status === "rejected" ? String(outcome.reason?.code) : "fulfilled";
      isTrue(!code.endsWith("_CONFLICT") || there[index] === 0, "a conflict is told only where nothing is there", {
        code,
        there,
      });
    }
  }),
  check(
    { title: "past the window nobody knows", level: "fault", needs: { durable: true }, hook: "loseReplies" },
    async (context) => {
      const place = await context.place();
      const [store, other] = [await place.open({ settleTimeoutMs: 1_000 }), await place.open()];
      await context.faults.loseReplies?.(store, Number.MAX_SAFE_INTEGER);
      const upsert = started(store.state.upsert("cart", 0, "mine"));
      while ((await other.state.load("cart")).revision === 0) await nextTurn();
      for (let revision = 1; revision <= window + 1; revision++) await other.state.upsert("cart", revision, "other");
      await context.faults.loseReplies?.(store, 0);
      await rejects(upsert, unknown, "an upsert whose reply was lost, past the window");
    },
  ),
);

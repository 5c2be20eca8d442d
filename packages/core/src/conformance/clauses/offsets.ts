import { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import type { Clause } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import { footprint, revisionConflict } from "./fixtures.ts";
import { o7 } from "./offsets-clear.ts";
import { instances } from "./offsets-instances.ts";
import { offsetRecordClause } from "./offsets-record.ts";

const o1 = clause(
  "O-1",
  "unknown loads as 0.",
  check({ title: "and loading writes nothing" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const offsets = new DurableStateOffsetStore(store.state);
    equal(await offsets.loadOffset("totals", "tag"), 0, "an unknown offset");
    equal(await offsets.loadSequence("totals", "cart"), 0, "an unknown sequence number");
    equal(await footprint(store), before, "the store after loading");
    await offsets.saveOffset("totals", "tag", 5);
    equal(await offsets.loadOffset("totals", "other"), 0, "an unknown tag of a known projection");
    equal(await offsets.loadSequence("totals", "tag"), 0, "a sequence number, where only the offset was saved");
    equal(await offsets.loadOffset("totals", "tag"), 5, "the one that is known");
  }),
);

const o2 = clause(
  "O-2",
  "what one instance saved another loads, after any restart.",
  check({ title: "another instance" }, async (context) => {
    const [one, other] = await instances(context);
    for (const position of [1, 2, 250_000]) {
      await one.saveOffset("totals", "tag", position);
      await one.saveSequence("totals", "cart", position + 1);
      equal(await other.loadOffset("totals", "tag"), position, "the offset that another instance saved");
      equal(
        await other.loadSequence("totals", "cart"),
        position + 1,
        "the sequence number that another instance saved",
      );
    }
  }),
  check({ title: "after a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const first = await place.open();
    const before = new DurableStateOffsetStore(first.state);
    await before.saveOffset("totals", "tag", 7);
    await before.saveSequence("totals", "cart", 8);
    await first.close();
    const after = new DurableStateOffsetStore((await place.open()).state);
    equal(await after.loadOffset("totals", "tag"), 7, "the offset after a reopen");
    equal(await after.loadSequence("totals", "cart"), 8, "the sequence number after a reopen");
  }),
);

const o3 = clause(
  "O-3",
  "a save expects the record revision that this instance last saw, by load or save of any cursor in it; if another instance wrote since, it is the `RevisionConflictError`.",
  check({ title: "seen by a load" }, async (context) => {
    const [one, other] = await instances(context);
    await one.loadOffset("totals", "a third tag");
    await other.saveOffset("totals", "another tag", 3);
    const conflict = revisionConflict("holdfast:offset:totals", 0, 1);
    await rejects(one.saveOffset("totals", "tag", 5), conflict, "a save after another instance wrote");
    equal(await other.loadOffset("totals", "tag"), 0, "the offset after the refused save");
    equal(await other.loadOffset("totals", "another tag"), 3, "the offset that the other instance saved");
  }),
  check({ title: "seen by a save" }, async (context) => {
    const [one, other] = await instances(context);
    await one.saveSequence("totals", "cart", 1);
    await one.saveSequence("totals", "cart", 2);
    await other.saveSequence("totals", "cart", 9);
    const conflict = revisionConflict("holdfast:sequence:totals", 2, 3);
    await rejects(one.saveSequence("totals", "cart", 3), conflict, "a save after another instance wrote");
    equal(await other.loadSequence("totals", "cart"), 9, "the sequence number after the refused save");
  }),
  check({ title: "another record is no conflict" }, async (context) => {
    const [one, other] = await instances(context);
    await one.loadOffset("totals", "tag");
    await other.saveSequence("totals", "tag", 1);
    await other.saveOffset("other", "tag", 1);
    await one.saveOffset("totals", "tag", 5);
  }),
);

const o4 = clause(
  "O-4",
  "after a conflict the instance works again: its next load reads the store.",
  check({ title: "load and save after a conflict" }, async (context) => {
    const [one, other] = await instances(context);
    await one.saveOffset("totals", "tag", 1);
    await other.saveOffset("totals", "tag", 7);
    await rejects(one.saveOffset("totals", "tag", 2), {}, "a save after another instance wrote");
    equal(await one.loadOffset("totals", "tag"), 7, "the offset, loaded after the conflict");
    await one.saveOffset("totals", "tag", 8);
    equal(await other.loadOffset("totals", "tag"), 8, "the offset that was saved after the conflict");
  }),
);

const o5 = clause(
  "O-5",
  "an instance that has seen none, or had a conflict or an unknown outcome, reads before it saves; so inside a transaction load and compare before you save.",
  check({ title: "a fresh instance" }, async (context) => {
    const [one, two, three] = await instances(context);
    await one.saveOffset("totals", "a", 1);
    await two.saveOffset("totals", "b", 2);
    await two.saveOffset("totals", "b", 3);
    await three.saveOffset("totals", "c", 4);
    const found = [
      await one.loadOffset("totals", "a"),
      await one.loadOffset("totals", "b"),
      await one.loadOffset("totals", "c"),
    ];
    equal(found, [1, 3, 4], "the offsets, saved by three instances that loaded none");
  }),
  check({ title: "after a conflict" }, async (context) => {
    const [one, other] = await instances(context);
    await one.saveOffset("totals", "a", 1);
    await other.saveOffset("totals", "b", 2);
    await rejects(one.saveOffset("totals", "a", 3), {}, "a save after another instance wrote");
    await one.saveOffset("totals", "a", 4);
    equal([await other.loadOffset("totals", "a"), await other.loadOffset("totals", "b")], [4, 2], "the offsets");
  }),
  check({ title: "after an unknown outcome", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store({ settleTimeoutMs: 100 });
    const offsets = new DurableStateOffsetStore(store.state);
    await offsets.saveOffset("totals", "a", 1);
    await context.faults.loseReplies?.(store, Number.MAX_SAFE_INTEGER);
    await rejects(
      offsets.saveOffset("totals", "a", 2),
      { code: "HOLDFAST_OUTCOME_UNKNOWN" },
      "a save whose replies are lost",
    );
    await context.faults.loseReplies?.(store, 0);
    await offsets.saveOffset("totals", "b", 3);
    equal([await offsets.loadOffset("totals", "a"), await offsets.loadOffset("totals", "b")], [2, 3], "the offsets");
  }),
  check({ title: "inside a transaction" }, async (context) => {
    const store = await context.store();
    const advance = (from: number, to: number) =>
      store.transaction(async (tx) => {
        const offsets = new DurableStateOffsetStore(tx.state);
        if ((await offsets.loadOffset("totals", "tag")) !== from) return false;
        await offsets.saveOffset("totals", "tag", to);
        return (await offsets.loadOffset("totals", "tag")) === to;
      });
    equal(await advance(0, 10), true, "the first batch is applied");
    equal(await advance(0, 10), false, "the first batch is not applied again");
    equal(await advance(10, 20), true, "the second batch is applied");
    equal(await new DurableStateOffsetStore(store.state).loadOffset("totals", "tag"), 20, "the offset after both");
  }),
);

const o8 = clause(
  "O-8",
  "concurrent saves from one instance do not conflict with each other.",
  check({ title: "called without awaiting" }, async (context) => {
    const [offsets, other] = await instances(context);
    const tags = Array.from({ length: 10 }, (_, index) => `tag ${index}`);
    const calls: Promise<void>[] = [];
    for (const position of [1, 2, 3]) {
      for (const tag of tags)
        calls.push(offsets.saveOffset("totals", tag, position), offsets.saveSequence("totals", tag, position));
    }
    await Promise.all(calls);
    for (const tag of tags) {
      equal(
        [await other.loadOffset("totals", tag), await other.loadSequence("totals", tag)],
        [3, 3],
        `the cursors of ${tag}`,
      );
    }
  }),
);

const o9 = clause(
  "O-9",
  "saves may move backwards.",
  check({ title: "to a smaller position and to 0" }, async (context) => {
    const [offsets, other] = await instances(context);
    for (const position of [10, 3, 0, 5]) {
      await offsets.saveOffset("totals", "tag", position);
      await offsets.saveSequence("totals", "cart", position);
      equal(
        [await other.loadOffset("totals", "tag"), await other.loadSequence("totals", "cart")],
        [position, position],
        "the cursors",
      );
    }
  }),
);

export const offsetClauses: readonly Clause[] = [o1, o2, o3, o4, o5, offsetRecordClause, o7, o8, o9];

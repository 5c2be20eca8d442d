import type { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import { check, clause } from "../define.ts";
import { equal } from "../expect.ts";
import { instances } from "./offsets-instances.ts";

export const o7 = clause(
  "O-7",
  "`clear` forgets every cursor of that projection, whoever wrote it, and of no other, and retries conflicts.",
  check({ title: "another instance's cursors, of this projection only" }, async (context) => {
    const [one, other, fresh] = await instances(context);
    const kept = ["total", "totals2", "totals:x", "Totals", "offset:totals"];
    for (const projection of ["totals", ...kept]) {
      await one.saveOffset(projection, "a", 1);
      await one.saveOffset(projection, "b", 2);
      await one.saveSequence(projection, "cart", 3);
    }
    await other.clear("totals");
    for (const each of [other, fresh]) {
      const found = [
        await each.loadOffset("totals", "a"),
        await each.loadOffset("totals", "b"),
        await each.loadSequence("totals", "cart"),
      ];
      equal(found, [0, 0, 0], "the cursors of the projection that was cleared");
      for (const projection of kept) {
        const others = [
          await each.loadOffset(projection, "a"),
          await each.loadOffset(projection, "b"),
          await each.loadSequence(projection, "cart"),
        ];
        equal(others, [1, 2, 3], `the cursors of projection ${projection}`);
      }
    }
    await fresh.saveOffset("totals", "a", 5);
    equal([await fresh.loadOffset("totals", "a"), await fresh.loadOffset("totals", "b")], [5, 0], "after a new save");
  }),
  check({ title: "an instance that saw it before a conflict" }, async (context) => {
    const [one, other] = await instances(context);
    await one.saveOffset("totals", "a", 1);
    await one.saveSequence("totals", "cart", 1);
    await other.saveOffset("totals", "b", 2);
    await other.saveSequence("totals", "other cart", 2);
    await one.clear("totals");
    equal(
      [await other.loadOffset("totals", "a"), await other.loadOffset("totals", "b")],
      [0, 0],
      "the offsets after clear",
    );
    equal(await other.loadSequence("totals", "other cart"), 0, "the sequence number after clear");
    await one.clear("unknown");
  }),
  check({ title: "while others save" }, async (context) => {
    const [one, other, third] = await instances(context);
    const save = async (offsets: DurableStateOffsetStore, tag: string) => {
      for (let position = 1; position <= 20; position++)
        await offsets.saveOffset("totals", tag, position).catch(() => {});
    };
    const clear = async () => {
      for (let times = 0; times < 5; times++) await one.clear("totals");
    };
    await Promise.all([save(other, "a"), save(third, "b"), clear()]);
    await one.clear("totals");
    equal(
      [await other.loadOffset("totals", "a"), await other.loadOffset("totals", "b")],
      [0, 0],
      "the offsets after all",
    );
  }),
);

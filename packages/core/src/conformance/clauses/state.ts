import type { Clause } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { collect, footprint, revisionConflict } from "./fixtures.ts";
import { s5, s6 } from "./state-races.ts";

const s1 = clause(
  "S-1",
  "`load` of an id never written: revision 0, state undefined.",
  check({ title: "and loading it writes nothing" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const unwritten = { persistenceId: "cart", revision: 0, state: undefined, updatedAt: undefined };
    equal(await store.state.load("cart"), unwritten, "the record");
    equal(await store.state.load("cart"), unwritten, "the record at a second load");
    equal(await footprint(store), before, "the store after loading");
  }),
);

const s2 = clause(
  "S-2",
  "`upsert` succeeds exactly when `expectedRevision` is the stored one, and stores revision + 1.",
  check({ title: "at the stored revision" }, async (context) => {
    const { state } = await context.store();
    for (let revision = 0; revision < 12; revision++) {
      const stored = await state.upsert("cart", revision, { items: revision });
      isTrue(typeof stored.updatedAt === "string", "updatedAt is a date", stored.updatedAt);
      const wanted = { persistenceId: "cart", revision: revision + 1, state: { items: revision } };
      equal({ ...stored, updatedAt: undefined }, { ...wanted, updatedAt: undefined }, "the record that upsert gives");
      const loaded = await state.load("cart");
      isTrue(typeof loaded.updatedAt === "string", "the loaded updatedAt is a date", loaded.updatedAt);
      equal({ ...loaded, updatedAt: undefined }, { ...wanted, updatedAt: undefined }, "the record that load gives");
    }
  }),
  check({ title: "at any other revision" }, async (context) => {
    const { state } = await context.store();
    for (const revision of [0, 1, 2]) await state.upsert("cart", revision, "good");
    for (const revision of [0, 1, 2, 4, 100])
      await rejects(state.upsert("cart", revision, "bad"), {}, `at ${revision} of 3`);
    equal((await state.upsert("cart", 3, "good")).revision, 4, "the revision after refused ones");
  }),
);

const s3 = clause(
  "S-3",
  "otherwise a `RevisionConflictError` with the true `actualRevision`, and nothing changes.",
  check({ title: "stale and never reached" }, async (context) => {
    const store = await context.store();
    for (const revision of [0, 1, 2]) await store.state.upsert("cart", revision, { revision });
    const before = await store.state.load("cart");
    for (const expected of [0, 1, 2, 4, 1000, Number.MAX_SAFE_INTEGER]) {
      const conflict = revisionConflict("cart", expected, 3);
      await rejects(store.state.upsert("cart", expected, "bad"), conflict, `an upsert at ${expected} of 3`);
      await rejects(store.state.delete("cart", expected), conflict, `a delete at ${expected} of 3`);
      equal(await store.state.load("cart"), before, "the record after a refused write");
    }
  }),
  check({ title: "of an id never written, and of a deleted one" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    await rejects(
      store.state.upsert("absent", 2, "bad"),
      revisionConflict("absent", 2, 0),
      "an upsert of an id never written",
    );
    equal((await store.state.load("absent")).revision, 0, "the revision of an id never written");
    await store.state.upsert("gone", 0, "good");
    await store.state.delete("gone", 1);
    for (const expected of [0, 1, 3]) {
      const upsert = store.state.upsert("gone", expected, "bad");
      await rejects(upsert, revisionConflict("gone", expected, 2), `an upsert at ${expected} of a record deleted at 2`);
    }
    equal(await footprint(store), before, "what the store lists");
  }),
  check({ title: "a refused write never lands later" }, async (context) => {
    const { state } = await context.store();
    await rejects(state.upsert("cart", 1, "refused"), revisionConflict("cart", 1, 0), "an upsert at 1 of 0");
    await state.upsert("cart", 0, "good");
    const { revision, state: found } = await state.load("cart");
    equal({ revision, found }, { revision: 1, found: "good" }, "the record when the refused write's place is there");
  }),
);

const s4 = clause(
  "S-4",
  "`delete` is conditional in the same way and itself takes a revision: a deleted record loads as revision + 1 with state undefined; this holds too for a record never written (expected 0) or already deleted.",
  check({ title: "a state, a deleted record, a record never written" }, async (context) => {
    const store = await context.store();
    await store.state.upsert("cart", 0, { items: 1 });
    for (const [persistenceId, expected] of [
      ["cart", 1],
      ["cart", 2],
      ["absent", 0],
      ["absent", 1],
    ] as const) {
      const deleted = await store.state.delete(persistenceId, expected);
      const wanted = { persistenceId, revision: expected + 1, state: undefined };
      equal({ ...deleted, updatedAt: undefined }, { ...wanted, updatedAt: undefined }, "the record that delete gives");
      const loaded = await store.state.load(persistenceId);
      equal({ ...loaded, updatedAt: undefined }, { ...wanted, updatedAt: undefined }, "the record that load gives");
      isTrue(typeof loaded.updatedAt === "string", "updatedAt is when it was deleted", loaded.updatedAt);
    }
    equal(await collect(store.state.listPersistenceIds()), [], "the ids that have a state");
  }),
  check({ title: "conditional" }, async (context) => {
    const { state } = await context.store();
    await state.upsert("cart", 0, "kept");
    await state.delete("gone", 0);
    for (const [persistenceId, expected, actual] of [
      ["cart", 0, 1],
      ["cart", 2, 1],
      ["gone", 0, 1],
      ["absent", 1, 0],
    ] as const) {
      const conflict = revisionConflict(persistenceId, expected, actual);
      await rejects(
        state.delete(persistenceId, expected),
        conflict,
        `a delete of ${persistenceId} at ${expected} of ${actual}`,
      );
      equal((await state.load(persistenceId)).revision, actual, "the revision after a refused delete");
    }
    equal((await state.load("cart")).state, "kept", "the state after refused deletes");
  }),
);

const s7 = clause(
  "S-7",
  'null is a state, and is not "deleted".',
  check({ title: "stored, listed and deleted as any other" }, async (context) => {
    const { state } = await context.store();
    equal((await state.upsert("cart", 0, null)).state, null, "the state that upsert gives");
    const { revision, state: loaded } = await state.load("cart");
    equal({ revision, loaded }, { revision: 1, loaded: null }, "the record that load gives");
    equal(await collect(state.listPersistenceIds()), ["cart"], "the ids that have a state");
    await state.delete("cart", 1);
    equal((await state.load("cart")).state, undefined, "the state after a delete");
    equal(await collect(state.listPersistenceIds()), [], "the ids that have a state after a delete");
  }),
);

const s8 = clause(
  "S-8",
  "a loaded state is the caller's own copy, and so is the one `upsert` returns, which is the stored value.",
  check({ title: "changed by the caller" }, async (context) => {
    const { state } = await context.store();
    const passed = { list: [1, 2] };
    const write = state.upsert("cart", 0, passed);
    passed.list.push(9);
    const stored = await write;
    passed.list.push(9);
    stored.state.list.push(9);
    const loaded = await state.load<{ list: number[] }>("cart");
    equal(loaded.state, { list: [1, 2] }, "the state after what was passed and what upsert gave were changed");
    loaded.state?.list.push(9);
    equal((await state.load("cart")).state, { list: [1, 2] }, "the state after what load gave was changed");
  }),
  check({ title: "what upsert gives is the stored value" }, async (context) => {
    const store = await context.store();
    const passed = { absent: undefined, zero: -0, list: [{ absent: undefined }] };
    const wanted = { zero: 0, list: [{}] };
    equal((await store.state.upsert("cart", 0, passed)).state, wanted, "the state that upsert gives");
    const inside = await store.transaction((tx) => tx.state.upsert("cart", 1, passed));
    equal(inside.state, wanted, "the state that upsert gives in a transaction");
  }),
  check({ title: "copies inside a transaction" }, async (context) => {
    const store = await context.store();
    await store.transaction(async (tx) => {
      const passed = { list: [1] };
      const stored = await tx.state.upsert("cart", 0, passed);
      passed.list.push(9);
      stored.state.list.push(9);
      const loaded = await tx.state.load<{ list: number[] }>("cart");
      equal(loaded.state, { list: [1] }, "the state after what upsert took and gave was changed");
      loaded.state?.list.push(9);
    });
    equal((await store.state.load("cart")).state, { list: [1] }, "the state that was committed");
  }),
);

export const stateClauses: readonly Clause[] = [s1, s2, s3, s4, s5, s6, s7, s8];

import type { DataStore, Transaction } from "../../contract/data-store.ts";
import type { WriteOptions } from "../../contract/options.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects, within } from "../expect.ts";
import { type Hammered, hammerStream } from "../process/commit-programs.ts";
import { footprint, gate, invalidArgument, nextTurn, numbered, started } from "./fixtures.ts";

const reason = new Error("the caller's reason");

/** A write to a key of its own, and how to see whether it is there. */
interface Trial {
  readonly write: (store: DataStore, key: string, options: WriteOptions) => Promise<unknown>;
  readonly isThere: (store: DataStore, key: string) => Promise<boolean>;
}

const append: Trial = {
  write: (store, key, options) => store.messages.appendMessages(key, 0, numbered(0, 1), options),
  isThere: async (store, key) => (await store.messages.nextOffset(key)) > 0,
};
const upsert: Trial = {
  write: (store, key, options) => store.state.upsert(key, 0, 1, options),
  isThere: async (store, key) => (await store.state.load(key)).revision > 0,
};
const remove: Trial = { ...upsert, write: (store, key, options) => store.state.delete(key, 0, options) };
const transact: Trial = {
  write: (store, key, options) =>
    store.transaction(({ messages }) => messages.appendMessages(key, 0, numbered(0, 1)), options),
  isThere: append.isThere,
};
const trials: readonly Trial[] = [append, upsert, remove, transact];

/** Lets so many microtasks run, and from 20 on turns of the event loop. */
async function letPass(moments: number): Promise<void> {
  for (let microtask = 0; microtask < Math.min(moments, 20); microtask++) await Promise.resolve();
  for (let turn = 20; turn < moments; turn++) await nextTurn();
}

export const w6 = clause(
  "W-6",
  "an abort before the write is sent rejects with the signal's reason and nothing is written; after it is sent it changes nothing: the call goes on to its true outcome. A transaction is sent after `work` settled: an abort before that rejects at once and ends `tx`.",
  check({ title: "aborted before the call" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const signal = AbortSignal.abort(reason);
    for (const { write, isThere } of trials) {
      isTrue(
        (await rejects(write(store, "key", { signal }), {}, "an aborted write")) === reason,
        "it rejects with the signal's reason",
      );
      equal(await isThere(store, "key"), false, "whether the write is there");
      // The transaction's own arguments are good, and its work does not run.
      if (write !== transact.write)
        await rejects(write(store, "", { signal }), invalidArgument, "an aborted write with a bad name");
    }
    equal(await footprint(store), before, "the store after aborted writes");
  }),
  check({ title: "aborted at every moment: its reason and nothing there, or its true outcome" }, async (context) => {
    const store = await context.store();
    const told = new Map<string, boolean>();
    for (const [kind, { write, isThere }] of trials.entries()) {
      for (let moments = 0; moments < 24; moments++) {
        const key = `${kind} ${moments}`;
        const controller = new AbortController();
        const call = write(store, key, { signal: controller.signal }).then(
          () => true,
          (error: unknown) => error,
        );
        await letPass(moments);
        controller.abort(reason);
        const outcome = await call;
        isTrue(
          outcome === true || outcome === reason,
          "the call is acknowledged, or rejects with the signal's reason",
          outcome,
        );
        told.set(key, outcome === true);
        equal(
          await isThere(store, key),
          outcome === true,
          `whether a write aborted ${moments} moments after its call is there`,
        );
      }
    }
    await nextTurn();
    for (const [key, wasThere] of told) {
      const trial = trials[Number(key.split(" ")[0])] ?? append;
      equal(await trial.isThere(store, key), wasThere, "whether the write is there, later");
    }
  }),
  check({ title: "aborted after it took effect", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store();
    for (const [kind, { write, isThere }] of trials.entries()) {
      const key = `key ${kind}`;
      const controller = new AbortController();
      await context.faults.loseReplies?.(store, Number.MAX_SAFE_INTEGER);
      const call = write(store, key, { signal: controller.signal }).then(
        () => "acknowledged",
        (error: unknown) => error,
      );
      while (!(await isThere(store, key))) await nextTurn();
      controller.abort(reason);
      await nextTurn();
      await context.faults.loseReplies?.(store, 0);
      equal(await call, "acknowledged", "a write that was aborted after it took effect");
    }
  }),
  check({ title: "a transaction aborted while its work goes on" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const controller = new AbortController();
    const entered = gate<Transaction>();
    const never = gate();
    const work = async (tx: Transaction) => {
      await tx.messages.appendMessages("orders", 0, numbered(0, 1));
      entered.open(tx);
      await never.opened;
    };
    const call = started(store.transaction(work, { signal: controller.signal }));
    const tx = await Promise.race([entered.opened, call.then(() => undefined)]);
    isTrue(tx !== undefined, "the transaction goes on while its work does");
    controller.abort(reason);
    isTrue(
      (await within(1_000, rejects(call, {}, "an aborted transaction"), "an aborted transaction rejects at once")) ===
        reason,
      "it rejects with the signal's reason",
    );
    const ended = { name: "InvalidStateError", code: "HOLDFAST_TRANSACTION_ENDED" };
    await rejects(tx.state.upsert("cart", 0, 1), ended, "a write in a transaction that was aborted");
    await rejects(tx.messages.nextOffset("orders"), ended, "a read in a transaction that was aborted");
    never.open();
    await nextTurn();
    equal(await footprint(store), before, "the store after an aborted transaction");
  }),
);

const allowed = ["ok", "HOLDFAST_UNAVAILABLE"];

export const w12 = clause(
  "W-12",
  "a writer that keeps losing races to unrelated commits backs off, and after `settleTimeoutMs` rejects with `UnavailableError`, nothing written (`OutcomeUnknownError` if a reply is still out).",
  check({ title: "on one store unrelated writes do not disturb each other" }, async (context) => {
    const store = await context.store();
    const streams = Array.from({ length: 8 }, (_, index) => `stream ${index}`);
    const states = async (persistenceId: string) => {
      for (let revision = 0; revision < 10; revision++) await store.state.upsert(persistenceId, revision, revision);
    };
    const [hammered] = await Promise.all([
      Promise.all(streams.map((stream) => hammerStream(store, stream, 10))),
      Promise.all([states("one"), states("other")]),
    ]);
    for (const [index, { outcomes }] of hammered.entries()) {
      equal(outcomes, { ok: 10 }, "how the appends to a stream of its own ended");
      equal(await store.messages.nextOffset(`stream ${index}`), 10, "the next offset of that stream");
    }
  }),
  check({ title: "several processes", level: "process", hook: "module", timeoutMs: 60_000 }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const streams = ["stream 0", "stream 1", "stream 2"];
    const peers = await Promise.all(streams.map((stream) => place.spawn("hammer", { stream, count: 25 })));
    for (const peer of peers) peer.signal();
    const own = await hammerStream(store, "stream 3", 25);
    const hammered = [...(await Promise.all(peers.map((peer) => peer.report<Hammered>()))), own];
    for (const [index, { outcomes, acknowledged }] of hammered.entries()) {
      for (const outcome of Object.keys(outcomes)) {
        isTrue(
          allowed.includes(outcome),
          "an append to a stream of its own is acknowledged or UnavailableError",
          outcome,
        );
      }
      equal(
        await store.messages.nextOffset(`stream ${index}`),
        acknowledged,
        "the messages there, of those acknowledged",
      );
    }
  }),
);

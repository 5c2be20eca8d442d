import { readdir } from "node:fs/promises";
import type { DataStore } from "../../contract/data-store.ts";
import { hasGlobalOrder } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects, within } from "../expect.ts";
import { collect, gate, message, nextTurn, numbered, readData, started } from "./fixtures.ts";
import { closed, eventually, opened } from "./opened.ts";

const endingMs = 5_000;
const noSignal = {} as AbortSignal;

type Calls = readonly (readonly [string, () => Promise<unknown>])[];

/** Every method of a store; `wrong` gives each call bad arguments too, which a closed store must not look at. */
function everyCall(store: DataStore, options: { readonly signal?: AbortSignal }, wrong: boolean): Calls {
  const [name, position] = wrong ? ["", -1] : ["orders", 0];
  const { messages, state } = store;
  const calls: [string, () => Promise<unknown>][] = [
    ["appendMessages", () => messages.appendMessages(name, position, wrong ? [] : [message(1)], options)],
    ["openStream", () => messages.openStream(name, position, options)],
    ["followStream", () => messages.followStream(name, position, options)],
    ["nextOffset", () => messages.nextOffset(name, options)],
    ["listStreams", () => collect(messages.listStreams(options))],
    ["load", () => state.load(name, options)],
    ["upsert", () => state.upsert(name, position, wrong ? undefined : 1, options)],
    ["delete", () => state.delete(name, position, options)],
    ["listPersistenceIds", () => collect(state.listPersistenceIds(options))],
    ["transaction", () => store.transaction(() => undefined, options)],
  ];
  if (hasGlobalOrder(store)) {
    calls.push(["openGlobal", () => store.messages.openGlobal(position, options)]);
    calls.push(["nextGlobalOffset", () => store.messages.nextGlobalOffset(options)]);
  }
  return calls;
}

/** Timers, sockets and files that this process holds: by kind, and by count where the system tells open files. */
async function handles(): Promise<Record<string, number>> {
  const held: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1;
  const files = await readdir("/proc/self/fd").catch(() => []);
  return { ...held, openFiles: files.length };
}

/** What is held now and was not before. Promises of file system calls under way are this measurement's own. */
function grown(before: Record<string, number>, now: Record<string, number>): string[] {
  const kinds = Object.keys(now).filter((kind) => kind !== "FSReqPromise" && kind !== "Immediate");
  return kinds.filter((kind) => (now[kind] ?? 0) > (before[kind] ?? 0));
}

export const closeStoreClause = clause(
  "L-1",
  "`close` is idempotent; writes already called finish within `settleTimeoutMs` (else `UnavailableError` if never sent, `OutcomeUnknownError` if sent), other pending reads finish or reject with `HOLDFAST_CLOSED`, a transaction whose `work` still runs and every waiting reader reject with `HOLDFAST_CLOSED`, and files, sockets and timers are freed; after it every call is `HOLDFAST_CLOSED`.",
  check({ title: "every call after close, before its arguments are looked at" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    const cursor = await opened(store, "orders");
    await cursor.next();
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
    const ways = [{}, { signal: AbortSignal.abort("aborted too") }, { signal: noSignal }];
    for (const options of ways) {
      for (const wrong of [false, true]) {
        for (const [name, call] of everyCall(store, options, wrong))
          await rejects(call(), closed, `${name} after close`);
      }
    }
    await rejects(cursor.next(), closed, "next of a cursor after its store's close");
    await rejects(cursor.tryNext(), closed, "tryNext of a cursor after its store's close");
  }),
  check({ title: "writes already called finish" }, async (context) => {
    const store = await context.store();
    let settled = 0;
    const writes: Promise<unknown>[] = [
      ...Array.from({ length: 12 }, (_, index) => store.messages.appendMessages("orders", index, numbered(index, 1))),
      store.state.upsert("order", 0, 1),
      store.state.delete("gone", 0),
      ...Array.from({ length: 4 }, (_, index) => store.messages.appendMessages(`stream-${index}`, 0, numbered(0, 2))),
    ];
    const outcomes = Promise.allSettled(writes.map((write) => write.finally(() => (settled += 1))));
    await within(endingMs * 2, store.close(), "close ends");
    await nextTurn();
    equal(settled, writes.length, "how many of the writes called before close have finished when it is over");
    for (const outcome of await outcomes)
      equal(outcome, { ...outcome, status: "fulfilled" }, "a write called before close");
  }),
  check({ title: "writes already called are there after a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const appends = Array.from({ length: 20 }, (_, offset) =>
      started(store.messages.appendMessages("orders", offset, numbered(offset, 1))),
    );
    const upsert = started(store.state.upsert("order", 0, { total: 1 }));
    await store.close();
    await Promise.all([...appends, upsert]);
    const again = await place.open();
    equal(
      await readData(again, "orders"),
      Array.from({ length: 20 }, (_, offset) => offset),
      "appends called before close",
    );
    equal((await again.state.load("order")).state, { total: 1 }, "an upsert called before close");
  }),
  check({ title: "a write that cannot be settled in time", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store({ settleTimeoutMs: 150 });
    await context.faults.loseReplies?.(store, 1_000_000);
    const append = store.messages.appendMessages("orders", 0, [message(1)]);
    const rejected = rejects(
      append,
      { code: "HOLDFAST_OUTCOME_UNKNOWN" },
      "a write that was sent and lost its replies",
    );
    await nextTurn();
    await nextTurn();
    await within(endingMs, store.close(), "close does not wait for it longer than settleTimeoutMs");
    await within(endingMs, rejected, "the write ends");
  }),
  check({ title: "waiting readers and loops reject" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    const waiting: [string, Promise<unknown>][] = [
      ["a waiting cursor", (await opened(store, "orders", 1)).next()],
      ["a cursor that awaits a stream", (await store.messages.followStream("later", 0)).next()],
    ];
    const looped = await opened(store, "orders");
    const loop = started(
      (async () => {
        for await (const one of looped) equal(one.data, 0, "the message that the loop sees");
      })(),
    );
    waiting.push(["a loop", loop]);
    if (hasGlobalOrder(store))
      waiting.push(["a cursor over the whole store", (await store.messages.openGlobal(1)).next()]);
    await nextTurn();
    const rejected = waiting.map(([what, call]) => within(endingMs, rejects(call, closed, what), `${what} ends`));
    await Promise.all([store.close(), ...rejected]);
  }),
  check({ title: "pending reads finish or reject" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    const cursor = await opened(store, "orders");
    const reads = [
      cursor.tryNext(),
      store.messages.nextOffset("orders"),
      store.state.load("order"),
      store.messages.openStream("orders", 0),
      collect(store.messages.listStreams()),
      collect(store.state.listPersistenceIds()),
    ];
    const outcomes = Promise.allSettled(reads);
    await store.close();
    for (const outcome of await within(endingMs, outcomes, "reads that were pending at close end")) {
      if (outcome.status === "rejected")
        equal(outcome.reason?.code, closed.code, "the error of a read that was pending at close");
    }
  }),
  check({ title: "a transaction whose work still runs" }, async (context) => {
    const store = await context.store();
    const { opened: entered, open: enter } = gate();
    const { opened: released, open: release } = gate();
    let late: Promise<unknown> | undefined;
    const transaction = store.transaction(async (tx) => {
      await tx.messages.appendMessages("orders", 0, [message(1)]);
      enter();
      await released;
      late = tx.state.load("order");
      await late;
    });
    const rejected = within(
      endingMs,
      rejects(transaction, closed, "a transaction whose work runs at close"),
      "the transaction ends",
    );
    await Promise.race([entered, rejected]);
    await Promise.all([store.close(), rejected]);
    release();
    await nextTurn();
    isTrue(late !== undefined, "the work goes on by itself");
    await rejects(late, { name: "InvalidStateError" }, "a read of a transaction that the store's close ended");
  }),
  check({ title: "files, sockets and timers are freed", alone: true }, async (context) => {
    const cycle = async () => {
      const store = await context.store();
      await store.messages.appendMessages("orders", 0, numbered(0, 3));
      const waiting = (await opened(store, "orders", 3)).next();
      const rejected = rejects(waiting, closed, "a waiting cursor");
      await collect(store.messages.listStreams());
      await nextTurn();
      await store.close();
      await rejected;
    };
    // The first one warms up what a process keeps for good: thread pools, caches, module files.
    await cycle();
    const before = await handles();
    for (let round = 0; round < 4; round++) await cycle();
    let now = await handles();
    const limit = performance.now() + 3_000;
    while (grown(before, now).length > 0 && performance.now() < limit) {
      await eventually(() => false, 20);
      now = await handles();
    }
    const kept = grown(before, now).map((kind) => `${kind}: ${before[kind] ?? 0} before, ${now[kind]} after`);
    equal(kept, [], "what this process holds after four stores were opened, used and closed");
  }),
);

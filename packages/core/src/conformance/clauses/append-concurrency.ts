import type { DataStore } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import type { Operation } from "../history/history.ts";
import { raceOn } from "../history/race.ts";
import { Recorder } from "../history/recorder.ts";
import type { WonAppends } from "../process/commit-programs.ts";
import {
  gate,
  message,
  nextTurn,
  numbered,
  offsetConflict,
  readAll,
  readData,
  revisionConflict,
  started,
} from "./fixtures.ts";
import { foundNothing, judgeHistory } from "./judged.ts";

/** All try the same offset at once; gives the messages of those who won, and checks how the others lost. */
async function race(writers: readonly Recorder[], stream: string, offset: number): Promise<unknown[]> {
  const outcomes = await Promise.all(writers.map((writer) => writer.append(stream, offset)));
  for (const { kind } of outcomes.filter((outcome) => outcome.kind !== "ok")) {
    equal(kind, "conflict", "the outcome of a writer who lost the race");
  }
  const won = writers.filter((_, index) => outcomes[index]?.kind === "ok");
  return won.map(({ history }) => tokenOf(history.at(-1)));
}

function tokenOf(operation: Operation | undefined): unknown {
  const [write] = operation?.kind === "commit" ? operation.writes : [];
  return write?.kind === "append" ? write.tokens[0] : undefined;
}

async function raceForOffsets(stores: readonly DataStore[], rounds: number): Promise<void> {
  const [first] = stores;
  if (first === undefined) return;
  const writers = stores.map((store, index) => new Recorder(store, `writer ${index}`));
  const winners: unknown[] = [];
  for (let offset = 0; offset < rounds; offset++) {
    const won = await race(writers, "orders", offset);
    equal(won.length, 1, `how many of ${stores.length} racing writers won offset ${offset}`);
    winners.push(...won);
  }
  equal(await readData(first, "orders"), winners, "whose messages are there");
  await judgeHistory(first, ...writers.map(({ history }) => history));
}

export const appendRaceClause = clause(
  "A-7",
  "racing writers: exactly one wins an offset.",
  check({ title: "calls on one store" }, async (context) => {
    const store = await context.store();
    await raceForOffsets(
      Array.from({ length: 8 }, () => store),
      8,
    );
  }),
  check({ title: "several stores on one place", level: "process" }, async (context) => {
    const place = await context.place();
    await raceForOffsets(await Promise.all([place.open(), place.open(), place.open(), place.open()]), 10);
  }),
  check(
    { title: "several processes, settled by arithmetic", level: "process", hook: "module", timeoutMs: 60_000 },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      const wins = 15;
      const writers = ["a", "b", "c"];
      const peers = await Promise.all(
        writers.map((writer) => place.spawn("winAppends", { stream: "orders", writer, wins })),
      );
      for (const peer of peers) peer.signal();
      const reports = await Promise.all(peers.map((peer) => peer.report<WonAppends>()));
      const acknowledged = new Map<number, string>();
      for (const { writer, offsets } of reports) {
        for (const offset of offsets) {
          isTrue(!acknowledged.has(offset), `offset ${offset} was won once only`, [acknowledged.get(offset), writer]);
          acknowledged.set(offset, writer);
        }
      }
      equal(await store.messages.nextOffset("orders"), wins * writers.length, "the next offset after all wins");
      for (const { offset, data } of await readAll(store, "orders")) {
        equal(String(data).split("-")[0], acknowledged.get(offset), `whose message is at offset ${offset}`);
      }
      await judgeHistory(store, ...reports.map(({ history }) => history));
    },
  ),
  check(
    {
      title: "several processes at streams, states and transactions, judged by their history",
      level: "process",
      hook: "module",
      timeoutMs: 120_000,
    },
    async (context) => {
      const seed = context.random.integer(1 << 20);
      const { violations, counts } = await raceOn(await context.place(), { seed, operations: 40 });
      foundNothing(violations);
      isTrue(counts.contended > 0 && counts.conflicts > 0, "there was a race", counts);
    },
  ),
);

export const appendCopyClause = clause(
  "A-8",
  "the caller may change or reuse its arrays and objects after the call, and what a reader is given is its own copy.",
  check({ title: "what the caller passed" }, async (context) => {
    const store = await context.store();
    const list = [1, { deep: "before" }];
    const bytes = new Uint8Array([1, 2, 3]);
    const metadata: Record<string, string> = { traceparent: "before" };
    const batch = [message({ list }, { metadata }), message(bytes)];
    const append = store.messages.appendMessages("orders", 0, batch);
    list[1] = { deep: "after" };
    list.push(9);
    bytes.fill(9);
    metadata["traceparent"] = "after";
    Object.assign(batch[0] ?? {}, { type: "Changed" });
    batch.push(message("after"));
    await append;
    // A store that kept the caller's objects would show these changes too.
    list[0] = 7;
    bytes.fill(8);
    const [first, second, ...more] = await readAll(store, "orders");
    equal(first?.data, { list: [1, { deep: "before" }] }, "the data as it was at the call");
    equal(first?.metadata, { traceparent: "before" }, "the metadata as it was at the call");
    equal(first?.type, "Tested", "the type as it was at the call");
    equal(second?.data, new Uint8Array([1, 2, 3]), "the bytes as they were at the call");
    equal(more, [], "messages that were added to the array after the call");
  }),
  check({ title: "what the caller passed to a transaction" }, async (context) => {
    const store = await context.store();
    const data = { list: [1] };
    const batch = [message(data)];
    await store.transaction(async ({ messages }) => {
      await messages.appendMessages("orders", 0, batch);
      data.list.push(9);
      batch.push(message("after"));
    });
    equal(await readData(store, "orders"), [{ list: [1] }], "the data as it was at the call");
  }),
  check({ title: "what a reader was given" }, async (context) => {
    const store = await context.store();
    const batch = [message({ list: [1, 2] }, { metadata: { a: "b" } }), message(new Uint8Array([1, 2, 3]))];
    await store.messages.appendMessages("orders", 0, batch);
    const before = structuredClone(await readAll(store, "orders"));
    equal(before.length, 2, "how many messages there are to read");
    for (const found of await readAll(store, "orders")) {
      if (found.data instanceof Uint8Array) found.data.fill(9);
      else (found.data as { list: number[] }).list.push(9);
      Object.assign(found.metadata ?? {}, { a: "changed" });
      Object.assign(found, { type: "Changed" });
    }
    equal(await readAll(store, "orders"), before, "what a second reader is given");
  }),
);

export const appendOrderClause = clause(
  "A-9",
  'writes called through one DataStore to one stream or persistence id take effect in the order called, a transaction when its `work` has settled; where transactions are "key", none waits for writes to other keys.',
  check({ title: "appends and states called without awaiting" }, async (context) => {
    const { messages, state } = await context.store();
    const count = 12;
    const calls: Promise<unknown>[] = [];
    for (let index = 0; index < count; index++) {
      calls.push(messages.appendMessages("orders", index, numbered(index, 1)), state.upsert("cart", index, { index }));
    }
    await Promise.all(calls);
    equal(await messages.nextOffset("orders"), count, "the next offset");
    equal((await state.load("cart")).state, { index: count - 1 }, "the state of the last call");
  }),
  check({ title: "a later call does not help an earlier one" }, async (context) => {
    const { messages, state } = await context.store();
    const early = rejects(
      messages.appendMessages("orders", 1, numbered(91, 1)),
      offsetConflict("orders", 1, 0),
      "called first",
    );
    const late = messages.appendMessages("orders", 0, numbered(0, 1));
    const earlyState = rejects(state.upsert("cart", 1, "early"), revisionConflict("cart", 1, 0), "called first");
    const lateState = state.upsert("cart", 0, "late");
    await Promise.all([early, late, earlyState, lateState]);
  }),
  check({ title: "a transaction takes its turn when its work has settled" }, async (context) => {
    const store = await context.store();
    const start = gate();
    const worked = gate();
    const transaction = started(
      store.transaction(async (tx) => {
        await start.opened;
        const append = tx.messages.appendMessages("orders", 1, numbered(1, 1));
        worked.open();
        await append;
      }),
    );
    const before = started(store.messages.appendMessages("orders", 0, numbered(0, 1)));
    start.open();
    await Promise.race([worked.opened, transaction]);
    await nextTurn();
    const after = store.messages.appendMessages("orders", 2, numbered(2, 1));
    await Promise.all([transaction, before, after]);
    equal(await readData(store, "orders"), [0, 1, 2], "the stream");
  }),
  check({ title: "writes to other keys do not wait", needs: { transactions: "key" } }, async (context) => {
    const { messages } = await context.store();
    const ended: string[] = [];
    const busy: Promise<unknown>[] = [];
    for (let offset = 0; offset < 200; offset++)
      busy.push(messages.appendMessages("busy", offset, numbered(offset, 1)));
    const all = started(Promise.all(busy).then(() => ended.push("busy")));
    await messages.appendMessages("other", 0, numbered(0, 1)).then(() => ended.push("other"));
    await all;
    equal(
      ended,
      ["other", "busy"],
      "the order in which a lone append and 200 to another stream, called before it, ended",
    );
  }),
);

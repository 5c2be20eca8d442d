import type { DataStore } from "../../contract/data-store.ts";
import type { RecordedEnvelope } from "../../contract/envelope.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import type { Operation } from "../history/history.ts";
import type { TimedAppend } from "../process/read-programs.ts";
import { message, started } from "./fixtures.ts";
import { judgeHistory } from "./judged.ts";
import { readOrder } from "./opened.ts";

const needs = { globalOrder: true } as const;

/** As the order shows them, and as the checker of histories judges them. */
async function judgeAppends(store: DataStore, appends: readonly TimedAppend[]): Promise<void> {
  inRealTime(await readOrder(store), appends);
  await judgeHistory(store, appends.map(asOperation));
}

function asOperation({ id, stream, offset, called, acknowledged }: TimedAppend): Operation {
  return {
    client: stream,
    kind: "commit",
    called: Number(called),
    returned: Number(acknowledged),
    writes: [{ kind: "append", stream, offset, tokens: [id] }],
    outcome: { kind: "ok" },
  };
}

/** Appends that were acknowledged before others were called come first. */
function inRealTime(order: readonly RecordedEnvelope[], appends: readonly TimedAppend[]): void {
  const position = new Map(order.map(({ id }, index) => [id, index]));
  const at = ({ id }: TimedAppend) => position.get(id) ?? Number.NaN;
  for (const one of appends) {
    isTrue(position.has(one.id), "an acknowledged message is in the order", one.id);
    for (const other of appends) {
      if (one.acknowledged < other.called)
        isTrue(at(one) < at(other), "acknowledged before the other was called, it comes first", [at(one), at(other)]);
    }
  }
}

async function timedAppends(stores: readonly DataStore[], writers: number, appends: number): Promise<TimedAppend[]> {
  const done: TimedAppend[] = [];
  const write = async (writer: number) => {
    const store = stores[writer % stores.length];
    const stream = `writer-${writer}`;
    for (let offset = 0; offset < appends; offset++) {
      const one = message(offset);
      const called = process.hrtime.bigint();
      await store?.messages.appendMessages(stream, offset, [one]);
      done.push({ id: one.id, stream, offset, called, acknowledged: process.hrtime.bigint() });
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return done;
}

export const realTimeClause = clause(
  "G-3",
  "if one append was acknowledged before another was called, its messages come first.",
  check({ title: "one after the other, over streams", needs }, async (context) => {
    const store = await context.store();
    const ids: string[] = [];
    const next = new Map<string, number>();
    for (let append = 0; append < 24; append++) {
      const stream = context.random.pick(["z", "a", "m", "0"]);
      const one = message(append);
      await store.messages.appendMessages(stream, next.get(stream) ?? 0, [one]);
      next.set(stream, (next.get(stream) ?? 0) + 1);
      ids.push(one.id);
    }
    equal(
      (await readOrder(store)).map(({ id }) => id),
      ids,
      "the order of appends made one after the other",
    );
  }),
  check({ title: "writers side by side", needs }, async (context) => {
    const store = await context.store();
    const appends = await timedAppends([store], 4, 8);
    await judgeAppends(store, appends);
  }),
  check({ title: "several stores on one place", needs, level: "process", timeoutMs: 30_000 }, async (context) => {
    const place = await context.place();
    const stores = [await place.open(), await place.open(), await place.open()];
    const appends = await timedAppends(stores, 6, 10);
    for (const store of stores) await judgeAppends(store, appends);
  }),
  check({ title: "several processes", needs, level: "process", hook: "module", timeoutMs: 60_000 }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const writers = ["a", "b"].map((stream) => place.spawn("appendMany", { stream, count: 60 }));
    const peers = await Promise.all(writers);
    for (const peer of peers) peer.signal();
    const own = started(timedAppends([store], 1, 60));
    const reports = await Promise.all(peers.map((peer) => peer.report<TimedAppend[]>()));
    const appends = [...reports.flat(), ...(await own)];
    await judgeAppends(store, appends);
  }),
);

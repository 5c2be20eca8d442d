import type { DataStore } from "../../contract/data-store.ts";
import type { Context } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import { nextTurn, numbered, started } from "./fixtures.ts";
import { ordered, readOrder, take } from "./opened.ts";

const needs = { globalOrder: true } as const;

/** Appends to streams of their own side by side, with batches of 1 to 3, through any of the stores. */
export async function appendSideBySide(
  stores: readonly DataStore[],
  writers: number,
  appends: number,
): Promise<number> {
  const counts = Array.from({ length: writers }, async (_, writer) => {
    const store = stores[writer % stores.length];
    if (store === undefined) return 0;
    let offset = 0;
    for (let append = 0; append < appends; append++) {
      const batch = numbered(offset, 1 + ((append + writer) % 3));
      await store.messages.appendMessages(`writer-${writer}`, offset, batch);
      offset += batch.length;
    }
    return offset;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Reads the order from its beginning by `tryNext`, again and again, until `count` messages were seen. */
async function transcript(store: DataStore, count: number): Promise<string[]> {
  const cursor = await ordered(store).openGlobal(0);
  const seen: string[] = [];
  const limit = performance.now() + 30_000;
  while (seen.length < count) {
    isTrue(performance.now() < limit, `a reader is given all ${count} messages within 30 s`, seen.length);
    // Reads that end within one turn of the event loop would keep the writers from theirs.
    if (!(await cursor.tryNext())) await nextTurn();
    else {
      equal(
        [cursor.offset(), cursor.get().globalOffset],
        [seen.length, seen.length],
        "the global offset of the next message read",
      );
      seen.push(cursor.get().id);
    }
  }
  return seen;
}

async function sameForAll(store: DataStore, transcripts: readonly (readonly string[])[]): Promise<void> {
  const final = (await readOrder(store)).map(({ id }) => id);
  for (const seen of transcripts) {
    equal(seen, final.slice(0, seen.length), "what a reader was given, against the order in the end");
  }
}

export const stablePrefixClause = clause(
  "G-4",
  "once any reader was given global offset n, no message ever appears at or before n that it was not given.",
  check({ title: "readers beside writers", needs }, async (context) => {
    const store = await context.store();
    const [writers, appends] = [4, 9];
    const count = (writers * appends * 6) / 3;
    const reading = started(Promise.all([transcript(store, count), transcript(store, count)]));
    const waiting = started(
      ordered(store)
        .openGlobal(0)
        .then((cursor) => take(cursor, count)),
    );
    equal(await appendSideBySide([store], writers, appends), count, "how many messages were written");
    const seen = await reading;
    const waited = (await waiting).map(({ id }) => id);
    await sameForAll(store, [...seen, waited]);
  }),
  check(
    { title: "readers and writers in several stores", needs, level: "process", timeoutMs: 30_000 },
    async (context) => {
      const place = await context.place();
      const stores = [await place.open(), await place.open(), await place.open()];
      const [writers, appends] = [6, 9];
      const count = (writers * appends * 6) / 3;
      const reading = started(Promise.all(stores.map((store) => transcript(store, count))));
      equal(await appendSideBySide(stores, writers, appends), count, "how many messages were written");
      await sameForAll(stores[0] ?? (await place.open()), await reading);
    },
  ),
  check(
    { title: "readers and writers in several processes", needs, level: "process", hook: "module", timeoutMs: 60_000 },
    severalProcesses,
  ),
);

async function severalProcesses(context: Context): Promise<void> {
  const place = await context.place();
  const store = await place.open();
  const streams = ["a", "b", "c"];
  const each = 50;
  const count = streams.length * each;
  const reader = await place.spawn("followOrder", { count });
  const writers = await Promise.all(streams.map((stream) => place.spawn("appendMany", { stream, count: each })));
  for (const writer of writers) writer.signal();
  const own = await transcript(store, count);
  for (const writer of writers) await writer.report();
  await sameForAll(store, [own, await reader.report<string[]>()]);
}

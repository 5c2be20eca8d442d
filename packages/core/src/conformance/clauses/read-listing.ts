import type { Context } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { collect, invalidArgument, numbered, streamsOf } from "./fixtures.ts";

const many = 150;

/** Streams of 1 to 3 messages, made side by side. */
async function streams(context: Context) {
  const store = await context.store();
  const names = Array.from({ length: many }, (_, index) => `stream-${index}`);
  await Promise.all(names.map((name, index) => store.messages.appendMessages(name, 0, numbered(0, 1 + (index % 3)))));
  return { store, names };
}

export const listingClause = clause(
  "R-15",
  "a listing gives every stream (or id) that existed at its start, may or may not give later ones, and each `nextOffset` was true at one moment of the listing; bad arguments tell at its first step.",
  check({ title: "streams, while more are made and grow" }, async (context) => {
    const { store, names } = await streams(context);
    const before = await streamsOf(store);
    equal([...before.keys()].sort(), names.toSorted(), "the streams that exist");
    const listed = new Map<string, number>();
    for await (const { stream, nextOffset } of store.messages.listStreams()) {
      isTrue(!listed.has(stream), "a stream is listed once", stream);
      listed.set(stream, nextOffset);
      if (listed.size % 30 !== 0) continue;
      await store.messages.appendMessages(`later-${listed.size}`, 0, numbered(0, 1));
      await store.messages.appendMessages(`a-later-${listed.size}`, 0, numbered(0, 1));
      const grown = context.random.pick(names);
      await store.messages.appendMessages(grown, await store.messages.nextOffset(grown), numbered(0, 1));
    }
    const after = await streamsOf(store);
    for (const name of names) {
      const nextOffset = listed.get(name);
      isTrue(nextOffset !== undefined, "a stream that existed at the start is listed", `${name} is missing`);
      const [low = 0, high = 0] = [before.get(name), after.get(name)];
      isTrue(
        low <= nextOffset && nextOffset <= high,
        `the nextOffset of ${name}, ${low} before and ${high} after`,
        nextOffset,
      );
    }
    for (const name of listed.keys()) isTrue(after.has(name), "what is listed exists", name);
  }),
  check({ title: "persistence ids, while more are made" }, async (context) => {
    const store = await context.store();
    const ids = Array.from({ length: many }, (_, index) => `id-${index}`);
    await Promise.all(ids.map((id) => store.state.upsert(id, 0, id)));
    await store.state.delete("id-7", 1);
    await store.state.delete("never", 0);
    const expected = ids.filter((id) => id !== "id-7").sort();
    equal((await collect(store.state.listPersistenceIds())).sort(), expected, "the ids that have a state");
    const listed = new Set<string>();
    for await (const id of store.state.listPersistenceIds()) {
      isTrue(!listed.has(id), "an id is listed once", id);
      listed.add(id);
      if (listed.size % 30 === 0) await store.state.upsert(`later-${listed.size}`, 0, null);
    }
    equal(
      expected.filter((id) => !listed.has(id)),
      [],
      "ids that existed at the start and were not listed",
    );
  }),
  check({ title: "by prefix" }, async (context) => {
    const { store, names } = await streams(context);
    const wanted = names.filter((name) => name.startsWith("stream-1")).sort();
    const listed = await collect(store.messages.listStreams({ prefix: "stream-1" }));
    equal(listed.map(({ stream }) => stream).sort(), wanted, "the streams whose names begin with stream-1");
    equal(await collect(store.messages.listStreams({ prefix: "none" })), [], "streams by a prefix that none has");
  }),
  check({ title: "bad arguments tell at the first step" }, async (context) => {
    const store = await context.store();
    const bad: unknown[] = [{ prefix: 5 }, { prefix: "\ud800" }, { prefix: null }];
    for (const options of bad as { readonly prefix?: string }[]) {
      const lists = [() => store.messages.listStreams(options), () => store.state.listPersistenceIds(options)];
      for (const list of lists) {
        // Neither the call nor the making of an iterator may throw.
        const iterator: AsyncIterator<unknown> = list()[Symbol.asyncIterator]();
        await rejects(iterator.next(), invalidArgument, "the first step of a listing with bad arguments");
      }
    }
  }),
);

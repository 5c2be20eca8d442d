import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createEnvelope, type MessageStream, SqliteDataStore } from "@holdfast/sqlite";
import { freshFolder, Numbers } from "@holdfast/test-kit";
import { expect, test } from "vitest";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);
const STREAMS = 30;
const APPENDS = 3_000;

/** The messages' numbers, from where the cursor stands to the end, at most `count`. */
async function numbersOf(cursor: MessageStream | undefined, count: number): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  while (found.length < count && (await cursor?.tryNext())) found.push(cursor?.get().data);
  await cursor?.close();
  return found;
}

test(`two writers fold the log under each other's feet, and every reader finds every message (seed ${SEED})`, {
  timeout: 60_000,
}, async () => {
  const folder = await freshFolder();
  const path = join(folder, "store.db");
  const random = new Numbers(SEED);
  const open = () => SqliteDataStore.open({ path, durability: "process" });
  const stores = [await open(), await open()];
  const streams = Array.from({ length: STREAMS }, (): number[] => []);
  const log: number[] = [];
  const check = async (store: SqliteDataStore | undefined) => {
    const stream = random.below(STREAMS);
    const written = streams[stream] ?? [];
    const from = random.below(written.length + 2);
    const count = random.below(1_500);
    expect(await store?.messages.nextOffset(`s${stream}`)).toBe(written.length);
    expect(await numbersOf(await store?.messages.openStream(`s${stream}`, from), count)).toEqual(
      written.slice(from, from + count),
    );
    const globalFrom = random.below(log.length + 1);
    expect(await numbersOf(await store?.messages.openGlobal(globalFrom), 700)).toEqual(
      log.slice(globalFrom, globalFrom + 700),
    );
  };
  let number = 0;
  for (let append = 0; append < APPENDS; append++) {
    // One stream gets most messages in long runs, some get one now and then.
    const stream = random.below(3) === 0 ? 0 : random.below(STREAMS);
    const size = stream === 0 ? 1 + random.below(40) : 1 + random.below(2);
    const batch = Array.from({ length: size }, () => number++);
    const messages = batch.map((data) => createEnvelope({ type: "t", data }));
    await stores[random.below(2)]?.messages.appendMessages(`s${stream}`, streams[stream]?.length ?? 0, messages);
    streams[stream]?.push(...batch);
    log.push(...batch);
    if (append % 50 === 0) await check(stores[random.below(2)]);
  }
  expect(log.length).toBeGreaterThan(10_000);
  for (const store of stores) await store.close();
  const reopened = await open();
  for (let look = 0; look < 40; look++) await check(reopened);
  const listed = new Map<string, number>();
  for await (const { stream, nextOffset } of reopened.messages.listStreams()) listed.set(stream, nextOffset);
  expect(listed).toEqual(new Map(streams.map((written, stream) => [`s${stream}`, written.length])));
  await reopened.close();
  await rm(folder, { recursive: true });
});

test("one commit of 10,000 messages, and one of 10,000 states", { timeout: 60_000 }, async () => {
  const folder = await freshFolder();
  const store = await SqliteDataStore.open({ path: join(folder, "store.db"), durability: "process" });
  await store.transaction(async (tx) => {
    for (let index = 0; index < 10_000; index++)
      void tx.messages.appendMessages(`s${index % 3000}`, Math.floor(index / 3000), [
        createEnvelope({ type: "t", data: index }),
      ]);
  });
  await store.transaction(async (tx) => {
    for (let index = 0; index < 10_000; index++) void tx.state.upsert(`p${index}`, 0, index);
  });
  expect(await store.messages.nextGlobalOffset()).toBe(10_000);
  expect(await numbersOf(await store.messages.openStream("s7", 0), 10)).toEqual([7, 3007, 6007, 9007]);
  let ids = 0;
  for await (const id of store.state.listPersistenceIds({ prefix: "p" })) {
    expect(id).toMatch(/^p\d+$/);
    ids += 1;
  }
  expect(ids).toBe(10_000);
  await store.close();
  await rm(folder, { recursive: true });
});

test("names that differ in a NUL, in what follows it, or in their last character never meet", async () => {
  const folder = await freshFolder();
  const store = await SqliteDataStore.open({ path: join(folder, "store.db"), durability: "process" });
  const names = [
    "a",
    "a\0",
    "a\0b",
    "a\0c",
    "A",
    "a ",
    "a%",
    "\u{10ffff}",
    "\u{ffff}",
    "\u{10ffff}\u{10ffff}",
    "é",
    "e\u0301",
    "\u0000",
  ];
  for (const [index, name] of names.entries()) {
    await store.messages.appendMessages(name, 0, [createEnvelope({ type: "t", data: index })]);
    await store.state.upsert(name, 0, index);
  }
  for (const [index, name] of names.entries()) {
    expect(await numbersOf(await store.messages.openStream(name, 0), 9)).toEqual([index]);
    expect((await store.state.load(name)).state).toBe(index);
    const found: string[] = [];
    for await (const { stream } of store.messages.listStreams({ prefix: name })) found.push(stream);
    expect(found.sort()).toEqual(names.filter((other) => other.startsWith(name)).sort());
  }
  await store.close();
  await rm(folder, { recursive: true });
});

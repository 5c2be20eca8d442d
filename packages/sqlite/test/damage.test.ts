import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createEnvelope, type DurableStateStore, HoldfastError, SqliteDataStore } from "@holdfast/sqlite";
import { freshFolder } from "@holdfast/test-kit";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { damageBytes } from "./faults.ts";

const SEEDS = Number(process.env["HOLDFAST_DAMAGES"] ?? 200);
const FIRST_SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);

class Lie extends Error {}

/** Every answer of a store, by question: what a damaged one must answer too, or reject as damaged. */
async function questions(
  store: SqliteDataStore,
  put: (question: string, answer: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { messages, state } = store;
  await put("nextGlobalOffset", () => messages.nextGlobalOffset());
  for (const from of [0, 5_000]) {
    await put(`global ${from}`, async () => {
      const cursor = await messages.openGlobal(from);
      const found: unknown[] = [];
      while (await cursor.tryNext()) found.push(cursor.get());
      return found;
    });
  }
  for (let index = 0; index < 44; index++) {
    await put(`nextOffset ${index}`, () => messages.nextOffset(nameOf(index)));
    await put(`stream ${index}`, async () => {
      const cursor = await messages.openStream(nameOf(index), index % 5);
      const found: unknown[] = [];
      while (await cursor?.tryNext()) found.push(cursor?.get());
      return cursor === undefined ? "none" : found;
    });
    await put(`state ${index}`, () => state.load(nameOf(index)));
    await put(`repeat ${index}`, () => repeat(state, index));
  }
  await put("streams", () => collect(messages.listStreams()));
  await put("ids", () => collect(state.listPersistenceIds({ prefix: "n" })));
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const nameOf = (index: number) => `name ${(index * 7919) % 101}`;

/** The oldest write to a state that a repeat still finds, once more. */
async function repeat(state: DurableStateStore, index: number): Promise<unknown> {
  const revisions = index < 40 ? (index % 12) + (index % 9 === 1 ? 1 : 0) : 0;
  if (revisions < 2) return "none";
  const expected = Math.max(0, revisions - 9);
  const write = { index, revision: expected };
  const { revision } = await state.upsert(nameOf(index), expected, write, { commitId: `commit ${expected}` });
  return revision;
}

/** Streams and states short and long, some deleted, messages folded and not folded. */
async function fill(path: string): Promise<void> {
  const store = await SqliteDataStore.open({ path, durability: "process" });
  const next = new Map<string, number>();
  const append = async (name: string, count: number) => {
    const offset = next.get(name) ?? 0;
    const batch = Array.from({ length: count }, (_, index) =>
      createEnvelope({ type: "t", data: { offset: offset + index } }),
    );
    await store.messages.appendMessages(name, offset, batch);
    next.set(name, offset + count);
  };
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 40; index++) await append(nameOf(index), index % 13 === 0 ? 120 : 1);
  }
  await append("one large message follows", 1);
  await store.messages.appendMessages("large", 0, [createEnvelope({ type: "t", data: "x".repeat(30_000) })]);
  for (let index = 0; index < 40; index++) {
    const name = nameOf(index);
    for (let revision = 0; revision < index % 12; revision++)
      await store.state.upsert(name, revision, { index, revision }, { commitId: `commit ${revision}` });
    if (index % 9 === 1) await store.state.delete(name, index % 12);
  }
  await store.close();
}

/** Puts every question to a damaged store; gives those that were rejected as damaged. A wrong answer is thrown as a lie. */
async function ask(path: string, truth: ReadonlyMap<string, string>, damage: string): Promise<readonly string[]> {
  const loud: string[] = [];
  const judge = (what: string, error: unknown) => {
    if (error instanceof Lie) throw error;
    const code = error instanceof HoldfastError ? error.code : undefined;
    expect(code, `${damage}: ${what}: ${String(error)} ${String((error as Error).cause)}`).toBe("HOLDFAST_CORRUPTION");
    loud.push(what);
  };
  try {
    await using store = await SqliteDataStore.open({ path });
    await questions(store, async (question, answer) => {
      try {
        // Not by expect, whose comparison of two long answers would take minutes.
        if (JSON.stringify(await answer()) !== truth.get(question)) {
          throw new Lie(`${damage}: a wrong answer to ${question}`);
        }
      } catch (error) {
        judge(question, error);
      }
    });
  } catch (error) {
    judge("open", error);
  }
  return loud;
}

let folder = "";
let path = "";
let bytes = Buffer.alloc(0);
const truth = new Map<string, string>();

beforeAll(async () => {
  folder = await freshFolder();
  path = join(folder, "store.db");
  await fill(path);
  bytes = await readFile(path);
  await using whole = await SqliteDataStore.open({ path });
  await questions(whole, async (question, answer) => void truth.set(question, JSON.stringify(await answer())));
});
afterAll(() => rm(folder, { recursive: true }));

test(`damage is loud, never wrong data: ${SEEDS} times`, { timeout: 120_000 }, async () => {
  let found = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    await writeFile(path, damageBytes(bytes, seed));
    if ((await ask(path, truth, `seed ${seed}`)).length > 0) found += 1;
  }
  // Some damage hits unused bytes; most of it must be found.
  expect(found).toBeGreaterThan(SEEDS / 3);
});

const NAME = `'${nameOf(5)}'`;
test.each([
  {
    what: "a stream's next offset",
    sql: `UPDATE stream SET next = next + 1 WHERE name = ${NAME}`,
    finds: "nextOffset 5",
  },
  { what: "a stream's name", sql: `UPDATE stream SET name = 'name 2x' WHERE name = ${NAME}`, finds: "nextOffset 5" },
  { what: "two streams' names", sql: "UPDATE stream SET name = name || id WHERE id IN (3, 4)", finds: "streams" },
  { what: "a stream that vanished", sql: `DELETE FROM stream WHERE name = ${NAME}`, finds: "nextOffset 5" },
  { what: "the row before the first stream", sql: "DELETE FROM stream WHERE id = 0", finds: "streams" },
  { what: "where messages lie", sql: "UPDATE place SET positions = '[9,1]' WHERE stream = 5", finds: "stream 4" },
  { what: "a place that vanished", sql: "DELETE FROM place WHERE stream = 5", finds: "stream 4" },
  {
    what: "the last messages",
    sql: "DELETE FROM message WHERE position >= (SELECT next - 3 FROM head)",
    finds: "nextGlobalOffset",
  },
  { what: "a message in the middle", sql: "DELETE FROM message WHERE position = 77", finds: "global 0" },
  { what: "a message's stream", sql: "UPDATE message SET stream = 7 WHERE position = 77", finds: "global 0" },
  {
    what: "two messages' places",
    sql: "UPDATE message SET record = (SELECT record FROM message WHERE position = 78) WHERE position = 77",
    finds: "global 0",
  },
  { what: "the end of the log", sql: "UPDATE head SET next = next - 1", finds: "nextGlobalOffset" },
  { what: "how much is folded", sql: "UPDATE head SET folded = 0", finds: "nextGlobalOffset" },
  {
    what: "a state's revision",
    sql: `UPDATE state SET revision = revision + 1 WHERE name = ${NAME}`,
    finds: "state 5",
  },
  { what: "a state that lives again", sql: "UPDATE state SET live = 1 WHERE live = 0", finds: "ids" },
  { what: "a state's receipts", sql: `UPDATE state SET receipts = '[]' WHERE name = ${NAME}`, finds: "repeat 5" },
  {
    what: "a state's record",
    sql: `UPDATE state SET record = replace(record, ':5', ':6') WHERE name = ${NAME}`,
    finds: "state 5",
  },
  { what: "a state that vanished", sql: `DELETE FROM state WHERE name = ${NAME}`, finds: "state 5" },
  { what: "a table that vanished", sql: "DROP TABLE place", finds: "open" },
  {
    what: "a column's type",
    sql: "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'BLOB')",
    finds: "open",
  },
  { what: "the store's id", sql: "UPDATE store SET id = 'other'", finds: "open" },
  { what: "the header's format", sql: "PRAGMA user_version = 2", finds: "open" },
  { what: "the header's application", sql: "PRAGMA application_id = 0", finds: "open" },
])("damage to $what is found", async ({ what, sql, finds }) => {
  await writeFile(path, bytes);
  const db = new Database(path);
  db.unsafeMode().exec(sql);
  db.close();
  expect(await ask(path, truth, what)).toContain(finds);
});

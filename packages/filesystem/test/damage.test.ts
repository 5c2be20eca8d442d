import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  createEnvelope,
  type DataStore,
  FilesystemDataStore,
  HoldfastError,
  hasGlobalOrder,
} from "@holdfast/filesystem";
import { freshFolder } from "@holdfast/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { damageStore } from "./faults.ts";
import { openSmallStore } from "./small-store.ts";

const SEEDS = Number(process.env["HOLDFAST_DAMAGES"] ?? 200);
const FIRST_SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);
const NAMES = Array.from({ length: 30 }, (_, index) => `name ${(index * 7919) % 101}`);

class Lie extends Error {}

/** Every answer of a store, by question: what a damaged one must answer too, or reject as damaged. */
async function questions(
  store: DataStore,
  put: (question: string, answer: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { messages, state } = store;
  if (!hasGlobalOrder(store)) throw new Error("it has a global order");
  const ordered = store.messages;
  await put("nextGlobalOffset", () => ordered.nextGlobalOffset());
  for (const from of [0, 200]) {
    await put(`global ${from}`, async () => {
      await using cursor = await ordered.openGlobal(from);
      const found: unknown[] = [];
      while (await cursor.tryNext()) found.push(cursor.get());
      return found;
    });
  }
  for (const [index, name] of NAMES.entries()) {
    await put(`nextOffset ${index}`, () => messages.nextOffset(name));
    await put(`stream ${index}`, async () => {
      await using cursor = await messages.openStream(name, index % 5);
      const found: unknown[] = [];
      while (await cursor?.tryNext()) found.push(cursor?.get());
      return cursor === undefined ? "none" : found;
    });
    await put(`state ${index}`, () => state.load(name));
  }
  await put("streams", () => collect(messages.listStreams()));
  await put("ids", () => collect(state.listPersistenceIds({ prefix: "n" })));
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found.map((item) => JSON.stringify(item)).sort() as unknown as readonly T[];
}

/** Streams and states short and long, some deleted. */
async function fill(store: DataStore): Promise<void> {
  const next = new Map<string, number>();
  const append = async (name: string, count: number) => {
    const offset = next.get(name) ?? 0;
    const batch = Array.from({ length: count }, (_, index) =>
      createEnvelope({ type: "t", data: { at: offset + index } }),
    );
    await store.messages.appendMessages(name, offset, batch);
    next.set(name, offset + count);
  };
  for (let round = 0; round < 6; round++) {
    for (const [index, name] of NAMES.slice(0, 26).entries()) await append(name, index % 13 === 0 ? 20 : 1);
  }
  await store.messages.appendMessages("large", 0, [createEnvelope({ type: "t", data: "x".repeat(30_000) })]);
  for (const [index, name] of NAMES.entries()) {
    for (let revision = 0; revision < index % 12; revision++)
      await store.state.upsert(name, revision, { index, revision });
    if (index % 9 === 1) await store.state.delete(name, index % 12);
  }
}

/** Puts every question to a damaged store; gives those that were rejected as damaged. A wrong answer is thrown as a lie. */
async function ask(directory: string, truth: ReadonlyMap<string, string>, damage: string): Promise<readonly string[]> {
  const loud: string[] = [];
  const judge = (what: string, error: unknown) => {
    if (error instanceof Lie) throw error;
    const code = error instanceof HoldfastError ? error.code : undefined;
    expect(code, `${damage}: ${what}: ${String(error)} ${String((error as Error).cause)}`).toBe("HOLDFAST_CORRUPTION");
    loud.push(what);
  };
  try {
    await using store = await FilesystemDataStore.open({ directory });
    await questions(store, async (question, answer) => {
      try {
        // Not by expect, whose comparison of two long answers would take minutes.
        if (JSON.stringify(await answer()) !== truth.get(question))
          throw new Lie(`${damage}: a wrong answer to ${question}`);
      } catch (error) {
        judge(question, error);
      }
    });
  } catch (error) {
    judge("open", error);
  }
  return loud;
}

describe.each([
  { what: "of blocks alone", merging: false },
  { what: "of many short files, most of them merged", merging: true },
])("a store $what", ({ merging }) => {
  let folder = "";
  let whole = "";
  let directory = "";
  const truth = new Map<string, string>();

  beforeAll(async () => {
    folder = await freshFolder();
    whole = join(folder, "whole");
    directory = join(folder, "damaged");
    const store = merging ? await openSmallStore(whole) : await FilesystemDataStore.open({ directory: whole });
    await fill(store);
    await store.close();
    expect(readdirSync(join(whole, "segments")).length > 0).toBe(merging);
    expect(readdirSync(join(whole, "checkpoints")).length).toBe(merging ? 1 : 0);
    await using again = await FilesystemDataStore.open({ directory: whole });
    await questions(again, async (question, answer) => void truth.set(question, JSON.stringify(await answer())));
    expect(truth.get("nextGlobalOffset")).toBe(String(6 * (24 + 2 * 20) + 1));
  });
  afterAll(() => rm(folder, { recursive: true }));

  function copy(): void {
    rmSync(directory, { recursive: true, force: true });
    cpSync(whole, directory, { recursive: true });
  }

  test("answers right while it is whole, and after a copy", async () => {
    copy();
    expect(await ask(directory, truth, "none")).toEqual([]);
  });

  test(`damage is loud, never wrong data: ${SEEDS} times (seed ${FIRST_SEED})`, {
    timeout: 60_000 + SEEDS * 500,
  }, async () => {
    let found = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      copy();
      const file = damageStore(directory, seed);
      if ((await ask(directory, truth, `seed ${seed}, ${file}`)).length > 0) found += 1;
    }
    // Much of it hits README.txt, the mark, or stubs of merged files.
    expect(found).toBeGreaterThan(SEEDS / 8);
  });

  test("the log cut off at its end, anywhere, is found out: the mark remembers it", { timeout: 60_000 }, async () => {
    const files = readdirSync(join(whole, "log")).sort();
    const last = files.at(-1) ?? "";
    const bytes = readFileSync(join(whole, "log", last));
    for (let cut = 0; cut < 40; cut++) {
      copy();
      writeFileSync(join(directory, "log", last), bytes.subarray(0, Math.floor((bytes.length * cut) / 40)));
      expect(await ask(directory, truth, `cut at ${cut}/40`)).toEqual(["open"]);
    }
    copy();
    writeFileSync(join(directory, "log", last), bytes.subarray(0, bytes.length - 1));
    expect(await ask(directory, truth, "the last byte")).toEqual(["open"]);
  });

  test("every file of the log that vanishes is missed", async () => {
    for (const file of readdirSync(join(whole, "log"))) {
      copy();
      rmSync(join(directory, "log", file));
      const stub = readFileSync(join(whole, "log", file), "utf8").includes('"log":"merged"');
      const loud = await ask(directory, truth, `${file} missing`);
      // What a stub stands for is in the segments: nothing is lost with it.
      if (!stub) expect(loud.length, file).toBeGreaterThan(0);
    }
  });
});

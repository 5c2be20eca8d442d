import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FilesystemDataStore } from "@holdfast/filesystem";
import { freshFolder } from "@holdfast/test-kit";
import { expect, test } from "vitest";
import { Child } from "./child.ts";
import { openSmallStore } from "./small-store.ts";

const WRITERS = 4;
const APPENDS = 120;

interface Told {
  readonly name: string;
  readonly shared: number;
  readonly conflicts: number;
}

test("several processes append while files end and blocks are merged: nothing is lost, twice or out of order", {
  timeout: 120_000,
}, async () => {
  const folder = await freshFolder();
  const directory = join(folder, "store");
  const reader = await openSmallStore(directory);
  const cursor = await reader.messages.openGlobal(0);
  const children = Array.from(
    { length: WRITERS },
    (_, index) => new Child("append-small", [directory, `writer-${index}`, String(APPENDS)]),
  );
  const seen: string[] = [];
  const told: Told[] = [];
  const stop = new AbortController();
  const all = Promise.all(children.map(async (child) => told.push((await child.next<Told>()) as Told)));
  void all.then(() => stop.abort());
  const see = () => seen.push(`${cursor.get().stream} ${cursor.get().offset}`);
  while (!stop.signal.aborted) {
    await cursor.next({ signal: stop.signal }).then(see, (error: unknown) => {
      if (error !== stop.signal.reason) throw error;
    });
  }
  while (await cursor.tryNext()) see();
  await cursor.close();
  await reader.close();
  const shared = told.reduce((sum, one) => sum + one.shared, 0);
  expect(told.map(({ shared: wins, conflicts }) => wins + conflicts)).toEqual(Array(WRITERS).fill(APPENDS));

  const files = readdirSync(join(directory, "log"));
  const stubs = files.filter((file) => readFileSync(join(directory, "log", file), "utf8").includes('"log":"merged"'));
  expect(files.length).toBeGreaterThan(20);
  expect(stubs.length).toBeGreaterThan(5);
  expect(files.sort()).toEqual(files.map((_, index) => `${String(index + 1).padStart(12, "0")}.jsonl`));

  await using store = await FilesystemDataStore.open({ directory });
  const next = new Map<string, number>();
  await using order = await store.messages.openGlobal(0);
  const found: string[] = [];
  for (let global = 0; await order.tryNext(); global++) {
    const { stream, offset, globalOffset } = order.get();
    expect(globalOffset).toBe(global);
    expect(offset).toBe(next.get(stream) ?? 0);
    next.set(stream, offset + 1);
    found.push(`${stream} ${offset}`);
  }
  expect(next.get("shared")).toBe(shared);
  for (let index = 0; index < WRITERS; index++) {
    expect(next.get(`writer-${index}`)).toBe(APPENDS);
    const record = await store.state.load<{ readonly offset: number }>(`writer-${index}`);
    expect(record).toMatchObject({ revision: APPENDS / 4, state: { offset: APPENDS - 4 } });
  }
  expect(seen).toEqual(found);
  await rm(folder, { recursive: true });
});

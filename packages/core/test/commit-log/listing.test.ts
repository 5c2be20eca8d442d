import { expect, test } from "vitest";
import { openLogDriver } from "../../src/commit-log/index.ts";
import type { Commit } from "../../src/driver/commit.ts";
import { MemoryLog, memoryWorld } from "./memory-log.ts";

const SOON = Number.POSITIVE_INFINITY;
/** Some of them sort otherwise as JSON than as text. */
const ODD = ["", "a", "a\u0000", 'a"', "a\\", "aé", "a🙂", "ab", "b", "\uffff"];

function append(stream: string): Commit {
  return { id: stream, writes: [{ kind: "append", stream, offset: 0, records: ["[0]"] }], bytes: 1 };
}

function upsert(persistenceId: string): Commit {
  const write = {
    kind: "state",
    persistenceId,
    expectedRevision: 0,
    record: "[0]",
    live: true,
    receipt: "[1]",
  } as const;
  return { id: persistenceId, writes: [write], bytes: 1 };
}

test("a listing gives every name once, though they are merged while it runs", async () => {
  const names = Array.from({ length: 3_500 }, (_, index) => `${ODD[index % ODD.length]}${index * 7_919}`);
  const world = memoryWorld();
  const writer = await openLogDriver(new MemoryLog(world, { blocks: 2, bytes: 1_000_000 }));
  const driver = await openLogDriver(new MemoryLog(world, { blocks: 3, bytes: 1_000_000 }));
  const write = async (some: readonly string[]) => {
    await writer.commit([...some.map(append), ...some.map(upsert)], SOON);
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await write(names.slice(0, 1_700));
  await write(names.slice(1_700));
  const streams: string[] = [];
  const states: string[] = [];
  for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
    const { items, next } = await driver.listStreams("", after);
    streams.push(...items.map(({ stream }) => stream));
    after = next;
    await write([`later ${page}`]);
    await driver.changed?.();
  }
  for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
    const { items, next } = await driver.listStates("", after);
    states.push(...items);
    after = next;
  }
  const early = (listed: readonly string[]) => listed.filter((name) => !name.startsWith("later")).sort();
  expect(early(streams)).toEqual([...names].sort());
  expect(early(states)).toEqual([...names].sort());
  expect(world.checkpoint).toBeDefined();
  for (const prefix of [...ODD, "a1", "zzz"]) {
    const { items } = await driver.listStreams(prefix, undefined);
    const expected = names.filter((name) => name.startsWith(prefix)).length;
    if (expected < 1_000)
      expect(
        items.filter(({ stream }) => !stream.startsWith("later")),
        prefix,
      ).toHaveLength(expected);
  }
  await Promise.all([writer.close(), driver.close()]);
});

import { expect, test } from "vitest";
import { decodeCheckpoint } from "../../src/commit-log/checkpoint.ts";
import { openLogDriver } from "../../src/commit-log/index.ts";
import type { Commit, Write } from "../../src/driver/commit.ts";
import type { GloballyOrderedDriver, StoredMessage } from "../../src/driver/store-driver.ts";
import { MemoryDriver } from "../../src/memory/memory-driver.ts";
import { MemoryLog, type MemoryWorld, memoryWorld } from "./memory-log.ts";

const STREAMS = 7;
const IDS = 5;
const LIMIT = { maxRecords: 50, maxBytes: 2_000 };
const SOON = Number.POSITIVE_INFINITY;
const HOUR_MS = 3_600_000;

/** The next commit of a workload that has long and short streams, hot and cold states, deletions and transactions. */
function* workload(): Generator<Commit> {
  const offsets = new Array<number>(STREAMS).fill(0);
  const revisions = new Array<number>(IDS).fill(0);
  for (let turn = 0; ; turn++) {
    const writes: Write[] = [];
    const stream = turn % 3 === 0 ? 0 : (turn * 5) % STREAMS;
    const records = Array.from(
      { length: 1 + (turn % 4) },
      (_, index) => `[0,"${turn}.${index}","${"é".repeat(turn % 9)}"]`,
    );
    writes.push({
      kind: "append",
      stream: `s${stream}`,
      offset: offsets[stream] ?? 0,
      records,
    });
    offsets[stream] = (offsets[stream] ?? 0) + records.length;
    if (turn % 2 === 0) {
      const id = turn % 10 === 0 ? (turn / 10) % IDS : 0;
      const expectedRevision = revisions[id] ?? 0;
      const [record, receipt] = [`[0,${turn}]`, `[0,"receipt ${turn}"]`];
      writes.push({
        kind: "state",
        persistenceId: `p${id}`,
        expectedRevision,
        record,
        live: turn % 14 !== 0,
        receipt,
      });
      revisions[id] = expectedRevision + 1;
    }
    yield { id: `c${turn}`, writes, bytes: 100 };
  }
}

async function everything(driver: GloballyOrderedDriver) {
  const global: StoredMessage[] = [];
  for (let page = await driver.readGlobal(0, LIMIT); page.length > 0; ) {
    global.push(...page);
    page = await driver.readGlobal(global.length, LIMIT);
  }
  const streams: (readonly StoredMessage[])[] = [];
  for (let index = 0; index < STREAMS; index++) {
    const messages: StoredMessage[] = [];
    for (let page = await driver.readStream(`s${index}`, 0, LIMIT); page.length > 0; ) {
      messages.push(...page);
      page = await driver.readStream(`s${index}`, messages.length, LIMIT);
    }
    streams.push(messages);
  }
  const states: unknown[] = [];
  for (let index = 0; index < IDS; index++) {
    const id = `p${index}`;
    const state = await driver.readState(id);
    const receipts: (string | undefined)[] = [];
    for (let back = -1; back < 10; back++) receipts.push(await driver.readReceipt(id, (state?.revision ?? 0) - back));
    states.push([state?.revision, state?.record, receipts]);
  }
  return {
    global,
    streams,
    states,
    live: [...(await driver.listStates("", undefined)).items].sort(),
  };
}

async function fill(
  world: MemoryWorld,
  commits: number,
  mergeAfter: { readonly blocks: number; readonly bytes: number },
) {
  const reference = new MemoryDriver();
  const drivers = [
    await openLogDriver(new MemoryLog(world, mergeAfter)),
    await openLogDriver(new MemoryLog(world, mergeAfter)),
  ];
  const commitsToMake = workload();
  for (let turn = 0; turn < commits; turn++) {
    const { value: commit } = commitsToMake.next();
    expect(await drivers[turn % 2]?.commit([commit], SOON)).toEqual([{ kind: "committed" }]);
    await reference.commit([commit]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { reference, drivers };
}

/** Sizes that give one segment that grows, and so many that streams reach back over several lists of them. */
test.each([
  { blocks: 20, bytes: 1_000_000, least: 1 },
  { blocks: 10, bytes: 1_500, least: 70 },
])("what is merged is what was written: $blocks blocks, $bytes bytes", { timeout: 60_000 }, async (size) => {
  const world = memoryWorld();
  const { reference, drivers } = await fill(world, 3_000, size);
  const expected = await everything(reference);
  for (const driver of drivers) {
    expect(await everything(driver)).toEqual(expected);
    await driver.close();
  }
  const stored = decodeCheckpoint(world.checkpoint?.bytes ?? new Uint8Array());
  expect(stored?.segments.length).toBeGreaterThanOrEqual(size.least);
  const fresh = await openLogDriver(new MemoryLog(world));
  expect(await everything(fresh)).toEqual(expected);
  await fresh.close();

  const lines = () =>
    Buffer.from(world.checkpoint?.bytes ?? [])
      .toString()
      .split("\n")
      .slice(1)
      .sort();
  const before = lines();
  // One that lost the race for the checkpoint may reach further, and would be taken too.
  const named = new Set(stored?.segments.map(({ name }) => name));
  for (const name of world.segments.keys()) if (!named.has(name)) world.segments.delete(name);
  for (const lost of [undefined, { version: "damaged", bytes: new Uint8Array(100) }]) {
    world.checkpoint = lost;
    const rebuilt = await openLogDriver(new MemoryLog(world));
    expect(await everything(rebuilt)).toEqual(expected);
    await rebuilt.close();
    expect(lines()).toEqual(before);
  }
});

test("refused commits and superseded states fall away", async () => {
  const world = memoryWorld();
  const { drivers } = await fill(world, 400, {
    blocks: 1_000,
    bytes: 1_000_000,
  });
  await Promise.all(drivers.map((driver) => driver.close()));
  const blocks = Buffer.concat(world.blocks.map((block) => block ?? Buffer.alloc(0))).length;
  // A late commit of a process that did not look: it lies in the log, and has no effect.
  const late = await openLogDriver(new MemoryLog(world, { blocks: 1, bytes: 1_000_000 }));
  await late.commit(
    [
      {
        id: "late",
        writes: [{ kind: "append", stream: "new", offset: 0, records: ["[1]"] }],
        bytes: 1,
      },
    ],
    SOON,
  );
  while (world.checkpoint === undefined) await new Promise((resolve) => setImmediate(resolve));
  await late.close();
  const [segment] = [...world.segments.values()].map((bytes) => Buffer.from(bytes).toString());
  expect(segment).toBeDefined();
  expect((segment ?? "").length).toBeLessThan(blocks * 0.75);
  expect((segment ?? "").match(/"state":"p0"/g)).toHaveLength(1);
});

test("a segment outlives the checkpoint that replaced it by an hour, and no longer", async ({ onTestFinished }) => {
  const now = Date.now;
  onTestFinished(() => {
    Date.now = now;
  });
  const world = memoryWorld();
  const { drivers } = await fill(world, 200, { blocks: 20, bytes: 1_000_000 });
  const slow = await openLogDriver(new MemoryLog(world, { blocks: 1e9, bytes: 1e9 }));
  const before = (await everything(slow)).global;
  const named = () =>
    decodeCheckpoint(world.checkpoint?.bytes ?? new Uint8Array())?.segments.map(({ name }) => name) ?? [];
  const old = named();
  let turn = 0;
  const write = async (commits: number) => {
    for (let last = turn + commits; turn < last; turn++) {
      const writes: readonly Write[] = [
        {
          kind: "append",
          stream: "more",
          offset: turn,
          records: [`[${"1".repeat(200)}]`],
        },
      ];
      await drivers[0]?.commit([{ id: `${turn}`, writes, bytes: 1 }], SOON);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await write(200);
  expect(named()).not.toEqual(old);
  expect(old.every((name) => world.segments.has(name))).toBe(true);
  expect((await everything(slow)).global.slice(0, before.length)).toEqual(before);
  Date.now = () => now() + HOUR_MS + 1_000;
  await write(200);
  expect(old.some((name) => world.segments.has(name) && !named().includes(name))).toBe(false);
  // Who held on to them reads on by the newest checkpoint.
  expect((await everything(slow)).global.slice(0, before.length)).toEqual(before);
  for (const driver of [...drivers, slow]) await driver.close();
});

test("a segment that the newest checkpoint names and that is missing is damage", async () => {
  const world = memoryWorld();
  const { drivers } = await fill(world, 200, { blocks: 20, bytes: 1_000_000 });
  await Promise.all(drivers.map((driver) => driver.close()));
  world.segments.clear();
  const driver = await openLogDriver(new MemoryLog(world));
  await expect(driver.readGlobal(0, LIMIT)).rejects.toMatchObject({
    kind: "corruption",
  });
  await expect(driver.readStream("s0", 0, LIMIT)).rejects.toMatchObject({
    kind: "corruption",
  });
});

test("a flipped bit in a segment is damage, wherever it is read", async () => {
  const world = memoryWorld();
  const { drivers, reference } = await fill(world, 120, {
    blocks: 20,
    bytes: 1_000_000,
  });
  const expected = await everything(reference);
  await Promise.all(drivers.map((driver) => driver.close()));
  const [name] = decodeCheckpoint(world.checkpoint?.bytes ?? new Uint8Array())?.segments.map((one) => one.name) ?? [];
  const whole = Buffer.from(world.segments.get(name ?? "") ?? []);
  let found = 0;
  for (let at = 0; at < whole.length; at += 37) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 4, at);
    world.segments.set(name ?? "", flipped);
    const driver = await openLogDriver(new MemoryLog(world));
    const read = await everything(driver).catch((error: { readonly kind?: string }) => error.kind);
    if (read === "corruption") found += 1;
    else expect(read).toEqual(expected);
  }
  expect(found).toBeGreaterThan(whole.length / 37 / 2);
});

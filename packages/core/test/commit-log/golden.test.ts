import { expect, test } from "vitest";
import { parseBlock } from "../../src/commit-log/block.ts";
import { decodeCheckpoint } from "../../src/commit-log/checkpoint.ts";
import { openLogDriver } from "../../src/commit-log/index.ts";
import { applyAll, encodeAs, goldenBlocks, goldenFile, groups, mergeAll } from "./golden.ts";
import { MemoryLog, memoryWorld } from "./memory-log.ts";

// These files are what stores in the field hold. A test that fails here means another format: it needs a new version
// number, code that still reads the old one, and golden files beside these; never a change to them.

const LIMIT = { maxRecords: 100, maxBytes: 1_000_000 };

test("the golden log is applied as ever", () => {
  const blocks = goldenBlocks();
  expect(blocks.length).toBe(groups.length);
  const { view, decisions } = applyAll(blocks);
  expect(decisions).toEqual(JSON.parse(goldenFile("decisions.json").toString()));
  expect({
    orders: view.nextOffset("orders"),
    other: view.nextOffset("other ✓"),
    total: view.revision("total"),
  }).toEqual({
    orders: 4,
    other: 0,
    total: 4,
  });
});

test("blocks are written as ever", () => {
  for (const [index, bytes] of goldenBlocks().entries()) {
    expect(encodeAs(groups[index] ?? [], parseBlock(bytes)).toString()).toBe(bytes.toString());
  }
});

test("segments and checkpoints are written as ever", async () => {
  const merged = await mergeAll(goldenBlocks());
  expect(Buffer.concat(merged.segment).toString()).toBe(goldenFile("segment.jsonl").toString());
  expect(merged.checkpoint.toString()).toBe(goldenFile("checkpoint.jsonl").toString());
});

test.each(["log", "checkpoint", "segment"])("a store of which the %s is left is read as ever", async (from) => {
  const world = memoryWorld();
  if (from === "log") {
    world.blocks.push(...goldenBlocks());
  } else {
    world.blocks.length = 3;
    world.segments.set("golden", goldenFile("segment.jsonl"));
    if (from === "checkpoint") world.checkpoint = { version: "1", bytes: goldenFile("checkpoint.jsonl") };
  }
  const driver = await openLogDriver(new MemoryLog(world, { blocks: 1_000, bytes: 1_000_000 }));
  const texts = ["a", "b", "c", "d"];
  const messages = texts.map((text, offset) => ({
    stream: "orders",
    offset,
    globalOffset: offset,
    record: `[0,"orders","${text}"]`,
  }));
  expect(await driver.readStream("orders", 0, LIMIT)).toEqual(messages);
  expect(await driver.readGlobal(1, LIMIT)).toEqual(messages.slice(1));
  expect(await driver.readState("total")).toEqual({ revision: 4, record: "[0]" });
  const receipts = await Promise.all([0, 1, 2, 3, 4, 5].map((revision) => driver.readReceipt("total", revision)));
  expect(receipts).toEqual([undefined, '[0,"r1"]', '[0,"r2"]', '[0,"r3"]', '[0,"r4"]', undefined]);
  expect((await driver.listStates("", undefined)).items).toEqual([]);
  await driver.close();
});

test("the checkpoint made again is the one that was lost", async () => {
  const world = memoryWorld();
  world.blocks.length = 3;
  world.segments.set("golden", goldenFile("segment.jsonl"));
  await (await openLogDriver(new MemoryLog(world))).close();
  expect(Buffer.from(world.checkpoint?.bytes ?? []).toString()).toBe(goldenFile("checkpoint.jsonl").toString());
  expect(decodeCheckpoint(goldenFile("checkpoint.jsonl"))?.position).toBe(3);
});

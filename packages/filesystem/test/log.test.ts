import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LogPage, type Position, seal } from "@holdfast/core/log";
import { freshFolder } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FolderArchive } from "../src/archive.ts";
import { Publisher } from "../src/files.ts";
import { FilesystemLog } from "../src/filesystem-log.ts";
import { encodeLine, SEPARATOR } from "../src/framing.ts";
import { positionOf, segmentOf } from "../src/layout.ts";

let folder = "";
let directory = "";
let logs: FilesystemLog[] = [];

beforeEach(async () => {
  folder = await freshFolder();
  directory = join(folder, "store");
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  rmSync(folder, { recursive: true });
});

async function opened(segmentBytes = 1_000): Promise<FilesystemLog> {
  const log = await FilesystemLog.open({ directory, noticeMs: 25, segmentBytes });
  logs.push(log);
  return log;
}

async function closed(log: FilesystemLog): Promise<void> {
  logs = logs.filter((each) => each !== log);
  await log.close();
}

const block = (name: string, bytes = 100) => seal(`"block":1,"id":"${name}","commits":[]}\n["${"x".repeat(bytes)}"]\n`);
const nameOf = (bytes: Uint8Array) => /"id":"([\w.]+)"/.exec(Buffer.from(bytes).toString("latin1"))?.[1] ?? "?";
const soon = () => performance.now() + 10_000;
const path = (name: string) => join(directory, "log", name);
const FIRST = "000000000001.jsonl";
const SECOND = "000000000002.jsonl";

async function append(log: FilesystemLog, ...names: readonly string[]): Promise<void> {
  for (const name of names) expect(await log.append(block(name), soon())).toEqual({ kind: "appended" });
}

/** All blocks from `from` on, page by page. */
async function readAll(log: FilesystemLog, from: Position = log.start): Promise<LogPage["blocks"]> {
  const blocks: LogPage["blocks"][number][] = [];
  for (let next = from; ; ) {
    const page = await log.read(next, 10_000);
    if (page === "merged") throw new Error("merged");
    blocks.push(...page.blocks);
    next = page.next;
    if (!page.more) return blocks;
  }
}

const namesIn = async (log: FilesystemLog, from?: Position) =>
  (await readAll(log, from)).map(({ bytes }) => nameOf(bytes));

describe("append and read", () => {
  test("a new log is empty, and what is appended is read in order, by others too", async () => {
    const log = await opened();
    expect(await log.read(log.start, 1_000)).toMatchObject({ blocks: [], next: log.start, more: false });
    const other = await opened();
    await append(log, "a", "b");
    await append(other, "c");
    await append(log, "d");
    expect(await namesIn(log)).toEqual(["a", "b", "c", "d"]);
    expect(await namesIn(other)).toEqual(["a", "b", "c", "d"]);
    expect(other.storeId).toBe(log.storeId);
    await closed(log);
    expect(await namesIn(await opened())).toEqual(["a", "b", "c", "d"]);
  });

  test("the block that was just appended is given back as the very bytes that were sent", async () => {
    const log = await opened();
    await append(log, "a");
    const first = await log.read(log.start, 1_000);
    const from = first === "merged" ? log.start : first.next;
    const sent = block("b");
    await log.append(sent, soon());
    const page = await log.read(from, 1_000);
    expect(page === "merged" ? undefined : page.blocks[0]?.bytes).toBe(sent);
    expect(page).toMatchObject({ more: false });
    expect(await namesIn(log, from)).toEqual(["b"]);
  });

  test("a page is bounded, holds one block at least, and says whether there is more", async () => {
    const log = await opened(1_000_000);
    await append(log, "a", "b", "c");
    const page = await log.read(log.start, 1);
    expect(page).toMatchObject({ blocks: [{}], more: true });
    const last = await log.read((await readAll(log))[2]?.position ?? 0, 1);
    expect(last).toMatchObject({ blocks: [{}] });
  });

  test("part of a block is read by its position", async () => {
    const log = await opened();
    await append(log, ...Array.from({ length: 20 }, (_, index) => `n${index}`));
    for (const { position, bytes } of await readAll(log)) {
      expect(await log.readBytes(position, 10, 30)).toEqual(Buffer.from(bytes).subarray(10, 40));
    }
    await expect(log.readBytes(positionOf(1, 5_000), 0, 10)).rejects.toMatchObject({ kind: "corruption" });
    await expect(log.readBytes(positionOf(99, 0), 0, 10)).rejects.toMatchObject({ kind: "corruption" });
  });

  test("with no time left nothing is written, or it is settled by the same bytes", async () => {
    const log = await opened(200);
    await append(log, "a");
    const late = await log.append(block("b"), performance.now());
    expect(["notWritten", "uncertain", "appended"]).toContain(late.kind);
    if (late.kind !== "appended") await append(log, "b");
    expect(await namesIn(log)).toEqual(["a", "b"]);
  });
});

describe("going on in another file", () => {
  test("blocks cross files in order, and each file but the last names the next", async () => {
    const log = await opened(600);
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    await append(log, ...names);
    expect(await namesIn(log)).toEqual(names);
    const files = readdirSync(join(directory, "log")).sort();
    expect(files.length).toBeGreaterThan(8);
    for (const [index, file] of files.entries()) {
      const rolled = readFileSync(path(file), "utf8").includes(`"log":"next","number":${index + 2}}`);
      expect(rolled, file).toBe(index < files.length - 1);
    }
    const positions = (await readAll(log)).map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  test("several that race over the end of files lose nothing, write nothing twice, and agree on the order", async () => {
    const writers = await Promise.all([opened(700), opened(700), opened(700)]);
    await Promise.all(
      writers.map((log, writer) => append(log, ...Array.from({ length: 60 }, (_, index) => `w${writer}.${index}`))),
    );
    const orders = await Promise.all(writers.map((log) => namesIn(log)));
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
    expect([...(orders[0] ?? [])].sort()).toEqual(
      writers.flatMap((_, writer) => Array.from({ length: 60 }, (_, index) => `w${writer}.${index}`)).sort(),
    );
    for (const writer of [0, 1, 2]) {
      const own = (orders[0] ?? []).filter((name) => name.startsWith(`w${writer}`));
      expect(own).toEqual(Array.from({ length: 60 }, (_, index) => `w${writer}.${index}`));
    }
  });

  test("a block that landed behind the end is void, and is sent again in the next file", async () => {
    const [log, reader] = [await opened(), await opened()];
    await append(log, "a");
    // What another process does when a file is long enough.
    writeFileSync(path(SECOND), encodeLine({ log: "segment", number: 2, format: 1 }));
    appendFileSync(path(FIRST), Buffer.concat([SEPARATOR, encodeLine({ log: "next", number: 2 })]));
    await append(log, "b", "c");
    expect(readFileSync(path(FIRST), "utf8")).toContain('"id":"b"');
    expect(readFileSync(path(FIRST), "utf8")).not.toContain('"id":"c"');
    expect(readFileSync(path(SECOND), "utf8")).toMatch(/"id":"b".*"id":"c"/s);
    expect(await namesIn(log)).toEqual(["a", "b", "c"]);
    expect(await namesIn(reader)).toEqual(["a", "b", "c"]);
    expect(await namesIn(await opened())).toEqual(["a", "b", "c"]);
  });

  test("a next file that nobody named yet does not end the one in front of it", async () => {
    const log = await opened(400);
    await append(log, "a");
    await closed(log);
    writeFileSync(path(SECOND), encodeLine({ log: "segment", number: 2, format: 1 }));
    const again = await opened(400);
    await append(again, "b", "c", "d", "e");
    expect(readFileSync(path(FIRST), "utf8")).toContain('"id":"b"');
    expect(statSync(path(SECOND)).size).toBeGreaterThan(200);
    expect(await namesIn(await opened(400))).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("a file of the log that is missing is damage, and is not made anew", async () => {
    const log = await opened(300);
    await append(log, "a", "b", "c", "d", "e", "f");
    const reader = await opened(300);
    rmSync(path(SECOND));
    await expect(readAll(reader)).rejects.toMatchObject({ kind: "corruption" });
    expect(existsSync(path(SECOND))).toBe(false);
  });

  test("a damaged end of a file in front of another is damage", async () => {
    const log = await opened(300);
    await append(log, "a", "b", "c", "d", "e", "f");
    await closed(log);
    const bytes = readFileSync(path(FIRST), "latin1");
    writeFileSync(path(FIRST), bytes.replace('"log":"next"', '"log":"mext"'), "latin1");
    await expect(readAll(await opened(300))).rejects.toMatchObject({ kind: "corruption" });
  });
});

describe("merged blocks", () => {
  const names = Array.from({ length: 30 }, (_, index) => `n${index}`);

  test("files in front of a position become stubs of the same name; what lay in them is merged", async () => {
    const log = await opened(500);
    await append(log, ...names);
    const blocks = await readAll(log);
    const kept = blocks[20];
    if (kept === undefined) throw new Error("there are thirty");
    const behindFirst = (await log.read(log.start, 1_000_000)) as LogPage;
    const firstPage = behindFirst.blocks.filter(({ position }) => segmentOf(position) === 1);
    const firstEnd = (firstPage.at(-1)?.position ?? 0) + (firstPage.at(-1)?.bytes.length ?? 0);
    const files = readdirSync(join(directory, "log"));
    await log.forget(kept.position);
    expect(readdirSync(join(directory, "log"))).toEqual(files);
    const fresh = await opened(500);
    expect(await fresh.read(fresh.start, 1_000)).toBe("merged");
    expect(await fresh.readBytes(blocks[0]?.position ?? 0, 0, 10)).toBe("merged");
    // Whoever had read a file to its end goes on behind it.
    const second = await fresh.read(firstEnd, 1_000);
    expect(second).toBe("merged");
    const lastMerged = blocks.filter(({ position }) => segmentOf(position) < segmentOf(kept.position)).at(-1);
    const end = (lastMerged?.position ?? 0) + (lastMerged?.bytes.length ?? 0);
    expect(await namesIn(fresh, end)).toEqual(names.slice(names.indexOf(nameOf(lastMerged?.bytes ?? kept.bytes)) + 1));
    const stub = JSON.parse(readFileSync(path(FIRST), "utf8")) as Record<string, unknown>;
    expect(stub).toMatchObject({ log: "merged", number: 1 });
    // Again, and by another: nothing changes.
    await fresh.forget(kept.position);
    await log.forget(kept.position);
    expect(await namesIn(fresh, kept.position)).toEqual(names.slice(20));
  });

  test("a writer that slept since before goes on where the log is now", async () => {
    const sleeper = await opened(500);
    const log = await opened(500);
    await append(log, ...names);
    const last = (await readAll(log)).at(-1);
    await log.forget(last?.position ?? 0);
    await append(sleeper, "late");
    expect(await namesIn(log, last?.position)).toEqual([names.at(-1), "late"]);
    expect(await namesIn(await opened(500), last?.position)).toEqual([names.at(-1), "late"]);
  });

  test("a store of which all but the last file was merged opens", async () => {
    const log = await opened(500);
    await append(log, ...names);
    const last = (await readAll(log)).at(-1);
    await log.forget(last?.position ?? 0);
    await closed(log);
    const again = await opened(500);
    await append(again, "more");
    expect(await namesIn(again, last?.position)).toEqual([names.at(-1), "more"]);
  });
});

describe("the archive", () => {
  test("segments are written, read in parts, listed and removed", async () => {
    const { archive } = await opened();
    await archive.writeSegment("s-1", [Buffer.from("hello, "), Buffer.from("world")]);
    expect(Buffer.from((await archive.readSegment("s-1", 7, 100)) ?? []).toString()).toBe("world");
    expect(await archive.readSegment("s-2", 0, 1)).toBeUndefined();
    writeFileSync(join(directory, "segments", "Foreign.txt"), "x");
    expect(await archive.listSegments()).toEqual(["s-1"]);
    await archive.removeSegment("s-1");
    await archive.removeSegment("s-1");
    expect(await archive.readSegment("s-1", 0, 1)).toBeUndefined();
    expect(existsSync(join(directory, "segments", "Foreign.txt"))).toBe(true);
  });

  test.each(["../x", "a/b", "", "A", ".", "x".repeat(101)])("the name %j never becomes a path", async (name) => {
    const { archive } = await opened();
    await expect(archive.writeSegment(name, [Buffer.from("x")])).rejects.toMatchObject({ kind: "corruption" });
    await expect(archive.readSegment(name, 0, 1)).rejects.toMatchObject({ kind: "corruption" });
    await expect(archive.removeSegment(name)).rejects.toMatchObject({ kind: "corruption" });
  });

  test("a checkpoint is replaced by whoever knows the newest one, and by one only", async () => {
    const archives = (await Promise.all([opened(), opened(), opened()])).map(({ archive }) => archive);
    const [one, two] = archives;
    if (one === undefined || two === undefined) throw new Error("there are three");
    expect(await one.readCheckpoint()).toBeUndefined();
    const won = await Promise.all(
      archives.map((archive, index) => archive.replaceCheckpoint(undefined, Buffer.from(`${index}`))),
    );
    expect(won.filter(Boolean).length).toBe(1);
    const first = await one.readCheckpoint();
    expect(Buffer.from(first?.bytes ?? []).toString()).toBe(String(won.indexOf(true)));
    for (let round = 0; round < 5; round++) {
      const known = await two.readCheckpoint();
      expect(await two.replaceCheckpoint(known?.version, Buffer.from(`r${round}`))).toBe(true);
    }
    // Its successor's name is free again, since it was cleared away: that does not let an old one win.
    expect(await one.replaceCheckpoint(first?.version, Buffer.from("late"))).toBe(false);
    expect(await one.replaceCheckpoint(undefined, Buffer.from("late"))).toBe(false);
    expect(Buffer.from((await one.readCheckpoint())?.bytes ?? []).toString()).toBe("r4");
    expect(readdirSync(join(directory, "checkpoints")).length).toBe(1);
  });
});

test("a checkpoint that was slow to get its name is not taken for the newest once its name is free again", async () => {
  const log = await opened();
  const { archive } = log;
  expect(await archive.replaceCheckpoint(undefined, Buffer.from("1"))).toBe(true);
  const slow = new (class extends Publisher {
    override async create(path: string, bytes: Uint8Array): Promise<boolean> {
      // Meanwhile others get two further, and clear away what this one is about to be named.
      expect(await archive.replaceCheckpoint("1", Buffer.from("2"))).toBe(true);
      expect(await archive.replaceCheckpoint("2", Buffer.from("3"))).toBe(true);
      return super.create(path, bytes);
    }
  })(join(directory, "tmp"));
  const late = new FolderArchive(directory, slow);
  expect(await late.replaceCheckpoint("1", Buffer.from("late"))).toBe(false);
  expect(Buffer.from((await archive.readCheckpoint())?.bytes ?? []).toString()).toBe("3");
  expect(readdirSync(join(directory, "checkpoints"))).toEqual(["000000000003.jsonl"]);
  late.close();
});

describe("the witness", () => {
  test("is kept, the newest of all processes, and given to the next that opens", async () => {
    const [log, other] = [await opened(), await opened()];
    expect(log.witness).toBeUndefined();
    await append(log, "a", "b");
    const [a, b] = await readAll(log);
    log.bearWitness({ position: b?.position ?? 0, chain: 7 });
    other.bearWitness({ position: a?.position ?? 0, chain: 6 });
    await closed(other);
    expect((await opened()).witness).toEqual({ position: b?.position, chain: 7 });
  });

  test("is as if there were none where it is damaged", async () => {
    const log = await opened();
    await append(log, "a");
    log.bearWitness({ position: (await readAll(log))[0]?.position ?? 0, chain: 7 });
    await closed(log);
    const mark = readFileSync(join(directory, "mark"));
    writeFileSync(join(directory, "mark"), mark.subarray(0, 50));
    const again = await opened();
    expect(again.witness).toBeUndefined();
    expect(await namesIn(again)).toEqual(["a"]);
  });
});

describe("a sync that failed elsewhere", () => {
  test("is passed over by those who read on, and what lies in front of it is given all the same", async () => {
    const log = await opened();
    await append(log, "a");
    appendFileSync(
      path(FIRST),
      Buffer.concat([SEPARATOR, block("b"), SEPARATOR, encodeLine({ log: "sync failed", from: 75 })]),
    );
    expect(await namesIn(log)).toEqual(["a", "b"]);
    await append(log, "c");
    expect(await namesIn(log)).toEqual(["a", "b", "c"]);
    expect(await namesIn(await opened())).toEqual(["a", "b", "c"]);
  });
});

test("a stub is never written over by one who slept while its file was merged", async () => {
  const sleeper = await opened(500);
  const log = await opened(500);
  await append(log, "a");
  appendFileSync(path(FIRST), Buffer.concat([SEPARATOR, encodeLine({ log: "sync failed", from: 75 })]));
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
  await append(log, ...names);
  const last = (await readAll(log)).at(-1);
  await log.forget(last?.position ?? 0);
  const stub = readFileSync(path(FIRST), "utf8");
  await append(sleeper, "late");
  expect(readFileSync(path(FIRST), "utf8")).toBe(stub);
  expect(await namesIn(log, last?.position)).toEqual(["n11", "late"]);
});

test("watch calls soon after another process has appended", async () => {
  const [log, other] = [await opened(), await opened()];
  const woken = new Promise<void>((resolve) => {
    const stop = log.watch(() => {
      stop();
      resolve();
    });
  });
  await append(other, "a");
  await woken;
});

import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SqliteDataStore } from "@holdfast/sqlite";
import { freshFolder, Numbers } from "@holdfast/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkLeftLog } from "../src/left-log.ts";
import { Child } from "./child.ts";
import { damageBytes } from "./faults.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);
const COMMITS = 24;
const HEADER = 32;
const FRAME = 24 + 4096;

const corruption = { code: "HOLDFAST_CORRUPTION" };

/** A store as a killed process left it: everything is in its log. */
let whole = "";
let database = Buffer.alloc(0);
let log = Buffer.alloc(0);
/** Where each commit ends in the log. */
let ends: readonly number[] = [];

let folder = "";
let path = "";

async function leaveLog(place: string, from: number, end: number, size: number): Promise<void> {
  await new Child("leave-log", [place, String(from), String(end), String(size)]).ended();
}

beforeAll(async () => {
  whole = await freshFolder();
  await leaveLog(join(whole, "store.db"), 0, COMMITS - 1, 3);
  // The last commit is a long one.
  await leaveLog(join(whole, "store.db"), COMMITS - 1, COMMITS, 60);
  database = readFileSync(join(whole, "store.db"));
  log = readFileSync(join(whole, "store.db-wal"));
  const frames = Math.floor((log.length - HEADER) / FRAME);
  ends = Array.from({ length: frames }, (_, frame) => HEADER + frame * FRAME)
    .filter((at) => log.readUInt32BE(at + 4) > 0)
    .map((at) => at + FRAME)
    // The first one made the store.
    .slice(-COMMITS);
});
afterAll(() => rm(whole, { recursive: true }));

beforeEach(async () => {
  folder = await freshFolder();
  path = join(folder, "store.db");
});
afterEach(() => rm(folder, { recursive: true }));

/** Where commit number `commit` ends, and the next one begins. */
const endOf = (commit: number) => ends[commit] ?? 0;

function lay(leftLog: Buffer): void {
  rmSync(`${path}-shm`, { force: true });
  writeFileSync(path, database);
  writeFileSync(`${path}-wal`, leftLog);
}

/** How many commits a store shows, none of them torn. */
async function commitsOf(durability: "power" | "process" = "power"): Promise<number> {
  await using store = await SqliteDataStore.open({ path, durability });
  const { revision } = await store.state.load("p");
  const cursor = await store.messages.followStream("s", 0);
  const found: number[] = [];
  while (await cursor.tryNext()) found.push((cursor.get().data as { readonly commit: number }).commit);
  const sizes = Array.from({ length: revision }, (_, commit) => (commit < COMMITS - 1 ? 3 : 60));
  expect(found).toEqual(sizes.flatMap((size, commit) => Array.from({ length: size }, () => commit)));
  return revision;
}

test("a log that a killed process left is all there", async () => {
  expect(ends).toHaveLength(COMMITS);
  lay(log);
  expect(await commitsOf()).toBe(COMMITS);
});

describe(`damage before the last commit (seed ${SEED})`, () => {
  test("a single bit, anywhere", async () => {
    const numbers = new Numbers(SEED);
    for (let round = 0; round < 150; round++) {
      const damaged = Buffer.from(log);
      // Some of them in the header, and in the commit before the last one.
      const [from, end] = [
        [0, HEADER],
        [HEADER, endOf(COMMITS - 2)],
        [endOf(COMMITS - 3), endOf(COMMITS - 2)],
      ][round % 3] as [number, number];
      const at = from + numbers.below(end - from);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << numbers.below(8)), at);
      lay(damaged);
      await expect(SqliteDataStore.open({ path }), `a bit of byte ${at}`).rejects.toMatchObject(corruption);
      expect(readFileSync(path).equals(database)).toBe(true);
      expect(readFileSync(`${path}-wal`).equals(damaged)).toBe(true);
    }
  });

  test("the checksum of the frame right before the last commit", async () => {
    for (let at = endOf(COMMITS - 2) - FRAME + 16; at < endOf(COMMITS - 2) - FRAME + 24; at++) {
      const damaged = Buffer.from(log);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      lay(damaged);
      await expect(SqliteDataStore.open({ path })).rejects.toMatchObject(corruption);
    }
  });

  test("more than a bit: bytes, pages", async () => {
    // Less than two commits are hit: two at the end are whole.
    const tail = log.subarray(endOf(COMMITS - 4));
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const head = damageBytes(log.subarray(0, endOf(COMMITS - 4)), seed);
      if (head.length < endOf(COMMITS - 4) || head.equals(log.subarray(0, head.length))) continue;
      lay(Buffer.concat([head, tail]));
      await expect(SqliteDataStore.open({ path }), `seed ${seed}`).rejects.toMatchObject(corruption);
    }
  });

  test("a store of durability process opens up to there: a power cut may leave it so", async () => {
    const damaged = Buffer.from(log);
    damaged.writeUInt8(damaged.readUInt8(endOf(9) + 700) ^ 1, endOf(9) + 700);
    lay(damaged);
    expect(await commitsOf("process")).toBe(10);
  });
});

describe("what a crash leaves", () => {
  test(`a last commit of which any parts are missing: nobody was told of it (seed ${SEED})`, async () => {
    const numbers = new Numbers(SEED);
    for (let round = 0; round < 40; round++) {
      const torn = Buffer.from(log);
      for (let at = endOf(COMMITS - 2); at < log.length; at += 512) {
        if (numbers.below(3) === 0) torn.fill(0, at, Math.min(at + 512, torn.length));
      }
      torn.fill(0, endOf(COMMITS - 2), endOf(COMMITS - 2) + 8 * numbers.below(64) + 8);
      lay(torn);
      expect(await commitsOf()).toBe(COMMITS - 1);
    }
  });

  test("a log that ends anywhere", async () => {
    const numbers = new Numbers(SEED);
    for (let round = 0; round < 40; round++) {
      const length = endOf(0) + numbers.below(log.length - endOf(0));
      lay(log.subarray(0, length));
      expect(await commitsOf()).toBe(ends.filter((end) => end <= length).length);
    }
  });

  test("a commit that another process wrote over, since its writer was killed before it said so", async () => {
    lay(log.subarray(0, endOf(COMMITS - 2)));
    await leaveLog(path, COMMITS - 1, COMMITS, 3);
    const shorter = readFileSync(`${path}-wal`);
    expect(shorter.length).toBeLessThan(log.length - 2 * FRAME);
    const over = Buffer.from(log);
    shorter.copy(over);
    lay(over);
    await checkLeftLog(path, true);
  });

  test("frames of the time before the log began anew", async () => {
    const anew = Buffer.concat([log, log]).fill(7, 16, 24);
    lay(log);
    writeFileSync(`${path}-wal`, Buffer.concat([log, anew.subarray(HEADER, log.length)]));
    const salted = readFileSync(`${path}-wal`);
    for (let at = log.length; at < salted.length; at += FRAME) salted.writeUInt8(salted.readUInt8(at + 8) ^ 1, at + 8);
    lay(salted);
    expect(await commitsOf()).toBe(COMMITS);
  });

  test("no false alarm while another process writes and begins the log anew", { timeout: 30_000 }, async () => {
    const writer = new Child("churn-log", [path]);
    expect(await writer.next()).toBe("churning");
    try {
      for (let check = 0; check < 300; check++) await checkLeftLog(path, true);
    } finally {
      await writer.kill();
    }
  });
});

describe("a database without bytes is no new store", () => {
  test.each([
    { what: "beside its log", beside: ["-wal"], rest: 0 },
    { what: "beside its log's index", beside: ["-shm"], rest: 0 },
    { what: "that was removed, beside its log", beside: ["-wal", "-shm"], rest: undefined },
  ])("$what", async ({ beside, rest }) => {
    lay(log);
    const other = join(whole, "store.db");
    if (beside.includes("-shm")) copyFileSync(`${other}-shm`, `${path}-shm`);
    if (!beside.includes("-wal")) rmSync(`${path}-wal`);
    if (rest === undefined) rmSync(path);
    else truncateSync(path, rest);
    await expect(SqliteDataStore.open({ path })).rejects.toMatchObject(corruption);
    expect(existsSync(path)).toBe(rest !== undefined);
    if (beside.includes("-wal")) expect(readFileSync(`${path}-wal`).equals(log)).toBe(true);
  });
});

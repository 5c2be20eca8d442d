import { copyFileSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";
import { canMount, canTrace, freshFolder } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Child } from "./child.ts";
import { type Call, counted, interfering, traced } from "./strace.ts";

let folder = "";
let directory = "";
const LOG = "log/000000000001.jsonl";

beforeEach(async () => {
  folder = await freshFolder();
  directory = join(folder, "store");
});
afterEach(() => rm(folder, { recursive: true }));

/** Has the store forget how far it was known to be durable. */
async function blankMark(): Promise<void> {
  const fresh = join(folder, "fresh");
  await (await FilesystemDataStore.open({ directory: fresh })).close();
  copyFileSync(join(fresh, "mark"), join(directory, "mark"));
}

/** What `program` costs more for being told `many` instead of `few`. */
async function difference(
  args: (count: string) => readonly string[],
  few: number,
  many: number,
): Promise<Readonly<Record<string, number>>> {
  const counts: Readonly<Record<string, number>>[] = [];
  for (const [index, count] of [few, many].entries()) {
    const place = `${directory}-${index}`;
    const { calls } = await traced(place, "append", [place, ...args(String(count))]);
    counts.push(counted(calls));
  }
  const [less = {}, more = {}] = counts;
  const names = Object.keys(more).filter((name) => more[name] !== less[name] && !name.includes(" tmp/"));
  return Object.fromEntries(names.map((name) => [name, (more[name] ?? 0) - (less[name] ?? 0)]));
}

describe.runIf(canTrace())("system calls, counted by strace", () => {
  test.each([
    { what: "a lone append", group: "1", size: "1" },
    { what: "64 appends at once", group: "64", size: "1" },
    { what: "an append of 100 messages", group: "1", size: "100" },
  ])("$what: one write, one fdatasync, two looks at the size", async ({ group, size }) => {
    const {
      "pread64 mark": read = 0,
      "pwrite64 mark": written = 0,
      ...inLog
    } = await difference((count) => [count, group, size], 2, 22);
    expect(inLog).toEqual({ [`write ${LOG}`]: 20, [`fdatasync ${LOG}`]: 20, [`stat ${LOG}`]: 40 });
    // The mark is written every ten milliseconds at most.
    expect(Math.max(read, written)).toBeLessThanOrEqual(20);
  });

  test("a store that was closed well opens without a write or a sync in its log", async () => {
    await traced(directory, "append", [directory, "20"]);
    const { calls } = await traced(directory, "append", [directory, "0"]);
    const inLog = calls.filter(({ name, file }) => file === LOG && /write|sync/.test(name));
    expect(inLog).toEqual([]);
  });

  test("what the mark does not vouch for is written again in place, and synced, before anything else", async () => {
    await traced(directory, "append", [directory, "20"]);
    const log = readFileSync(join(directory, LOG));
    await blankMark();
    const { calls, sent } = await traced(directory, "append", [directory, "0"]);
    expect(sent).toEqual([20]);
    const inLog = calls.filter(({ name, file }) => file === LOG && /write|sync/.test(name)).map(({ name }) => name);
    expect(inLog).toEqual(["pwrite64", "fdatasync"]);
    expect(readFileSync(join(directory, LOG)).equals(log)).toBe(true);
  });

  test("nothing is ever cut off, and only new names are made by link or rename", async () => {
    const { calls } = await traced(directory, "append", [directory, "5"]);
    expect(calls.filter(({ name }: Call) => name === "ftruncate")).toEqual([]);
  });

  test("a reader syncs what it found before it tells of it", async () => {
    const store = await FilesystemDataStore.open({ directory });
    const log = join(folder, "trace");
    const trace = ["strace", "-f", "-qq", "-yy", "-e", "trace=fdatasync", "-o", log];
    const reader = new Child("follow", [directory], trace);
    expect(await reader.next()).toBe("following");
    for (let offset = 0; offset < 10; offset++) {
      await store.messages.appendMessages("s", offset, [createEnvelope({ type: "t", data: offset })]);
      expect(await reader.next()).toBe(offset);
    }
    reader.tell("end");
    await reader.ended();
    await store.close();
    const syncs = readFileSync(log, "utf8").match(/fdatasync\(/g)?.length ?? 0;
    expect(syncs).toBeGreaterThanOrEqual(10);
    expect(syncs).toBeLessThanOrEqual(12);
  });
});

describe.runIf(canTrace())("a sync that fails", () => {
  const failing = (from: number) => interfering(join(directory, LOG), `fdatasync:error=EIO:when=${from}+`);

  test("L-5: its writes are of unknown outcome, and nothing more is written until the store is reopened", async () => {
    const child = new Child("append-until-it-fails", [directory], failing(4));
    const [told] = (await child.rest()) as [{ readonly acknowledged: number }];
    const { acknowledged } = told;
    expect(told).toEqual({
      acknowledged,
      first: "HOLDFAST_OUTCOME_UNKNOWN",
      second: "HOLDFAST_REOPEN",
      readable: "HOLDFAST_REOPEN",
    });
    expect(acknowledged).toBeGreaterThan(0);
    const store = await FilesystemDataStore.open({ directory });
    const next = await store.messages.nextOffset("s");
    expect([acknowledged, acknowledged + 1]).toContain(next);
    await store.messages.appendMessages("s", next, [createEnvelope({ type: "t", data: 1 })]);
    await store.close();
  });

  test("the other processes are told, secure what lies in front, and go on", async () => {
    const other = await FilesystemDataStore.open({ directory });
    await other.messages.appendMessages("other", 0, [createEnvelope({ type: "t", data: 0 })]);
    const child = new Child("append-until-it-fails", [directory], failing(4));
    const [told] = (await child.rest()) as [{ readonly acknowledged: number }];
    expect(readFileSync(join(directory, LOG), "utf8")).toContain('"log":"sync failed"');
    expect(await other.messages.nextOffset("s")).toBeGreaterThanOrEqual(told.acknowledged);
    await other.messages.appendMessages("other", 1, [createEnvelope({ type: "t", data: 1 })]);
    await other.close();
    const store = await FilesystemDataStore.open({ directory });
    expect(await store.messages.nextOffset("other")).toBe(2);
    expect(await store.messages.nextOffset("s")).toBeGreaterThanOrEqual(told.acknowledged);
    await store.close();
  });

  test("whoever is told writes the distrusted bytes again before it hands anything out", async () => {
    await new Child("append-until-it-fails", [directory], failing(4)).rest();
    const store = await FilesystemDataStore.open({ directory });
    const trace = join(folder, "trace");
    const reader = new Child(
      "follow",
      [directory],
      ["strace", "-f", "-qq", "-yy", "-e", "trace=pwrite64,fdatasync", "-o", trace],
    );
    expect(await reader.next()).toBe("following");
    expect(await reader.next()).toBe(0);
    const calls = () =>
      readFileSync(trace, "utf8")
        .split("\n")
        .filter((line) => line.includes(LOG)).length;
    const before = calls();
    await new Child("append-until-it-fails", [directory, "second"], failing(4)).rest();
    await store.messages.appendMessages("s", await store.messages.nextOffset("s"), [
      createEnvelope({ type: "t", data: "x" }),
    ]);
    for (let told: unknown; told !== "x"; ) told = await reader.next();
    expect(readFileSync(trace, "utf8").match(/pwrite64\(\d+<[^>]*log\//g)?.length ?? 0).toBeGreaterThan(0);
    expect(calls()).toBeGreaterThan(before);
    reader.tell("end");
    await reader.ended();
    await store.close();
  });

  test.each(["pwrite64", "fdatasync"])(
    "an open whose %s fails is unavailable, and the next finds everything",
    async (call) => {
      await traced(directory, "append", [directory, "5"]);
      await blankMark();
      const under = interfering(join(directory, LOG), `${call}:error=EIO`);
      expect(await new Child("open-and-tell", [directory], under).next()).toBe("HOLDFAST_UNAVAILABLE");
      const store = await FilesystemDataStore.open({ directory });
      expect(await store.messages.nextOffset("s0")).toBe(5);
      await store.close();
    },
  );
});

describe.runIf(canTrace())("a write that is short, refused or slow", () => {
  const appendBlocks = async (inject: string, ...args: readonly string[]) => {
    await (await FilesystemDataStore.open({ directory })).close();
    const under = interfering(join(directory, LOG), inject);
    return new Child("append-blocks", [directory, ...args], under).next();
  };

  test("a short write is dead, and the whole block is sent again", async () => {
    const told = await appendBlocks("write:retval=10:when=2", "4");
    expect(told).toEqual({ told: Array(4).fill("appended"), last: "appended", found: 4 });
  });

  test.each(["ENOSPC", "EDQUOT", "EROFS", "EIO"])("%s: not written", async (error) => {
    const told = await appendBlocks(`write:error=${error}:when=2`, "4");
    expect(told).toEqual({ told: ["appended", "notWritten", "appended", "appended"], last: "appended", found: 3 });
  });

  test("a sync that takes too long leaves the outcome open, and the same bytes settle it without a second copy", async () => {
    const told = await appendBlocks("fdatasync:delay_enter=600000", "1", "100");
    expect(told).toEqual({ told: ["uncertain"], last: "appended", found: 1 });
  });
});

describe.runIf(canMount())("a full disk: unavailable, nothing lost, and it goes on when there is room", () => {
  test.each(["200", "2000", "90000"])("messages of %s bytes", async (size) => {
    const child = new Child("fill-disk", [folder, size], ["unshare", "--map-root-user", "--mount"]);
    const told = await child.next<{ readonly acknowledged: number }>();
    const acknowledged = told?.acknowledged ?? 0;
    expect(told).toEqual({
      acknowledged,
      full: "HOLDFAST_UNAVAILABLE",
      again: "HOLDFAST_UNAVAILABLE",
      kept: [acknowledged, acknowledged],
      afterwards: "ok",
      read: acknowledged + 1,
      torn: expect.any(Number),
    });
    // What was torn is still there, and harms nobody.
    if (size !== "200") expect((told as unknown as { readonly torn: number }).torn).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(5);
  });
});

import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createEnvelope, SqliteDataStore } from "@holdfast/sqlite";
import { freshFolder } from "@holdfast/test-kit";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../src/open-database.ts";
import { Child } from "./child.ts";
import { faults } from "./faults.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await freshFolder();
  path = join(folder, "store.db");
});
afterEach(() => rm(folder, { recursive: true }));

const open = (options: { readonly path: string; readonly durability?: "power" | "process" }) =>
  SqliteDataStore.open(options);
const deadline = () => performance.now() + 1_000;

describe("what every connection is set to", () => {
  test.each([
    { durability: undefined, synchronous: 2 },
    { durability: "power", synchronous: 2 },
    { durability: "process", synchronous: 1 },
  ] as const)(
    "durability $durability: synchronous $synchronous, with a write-ahead log",
    async ({ durability, synchronous }) => {
      // The first creates the store, the second finds it.
      for (let connection = 0; connection < 2; connection++) {
        const { db } = await openDatabase({ path, durability }, deadline());
        expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
        expect(db.pragma("synchronous", { simple: true })).toBe(synchronous);
        expect(db.pragma("busy_timeout", { simple: true })).toBe(0);
        expect(db.pragma("cell_size_check", { simple: true })).toBe(1);
        expect(db.pragma("fullfsync", { simple: true })).toBe(synchronous === 2 ? 1 : 0);
        db.close();
      }
    },
  );
});

describe("what can't be opened", () => {
  test("a folder that does not exist", async () => {
    await expect(open({ path: join(folder, "missing", "store.db") })).rejects.toMatchObject({
      code: "HOLDFAST_UNAVAILABLE",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder in place of the file", async () => {
    mkdirSync(path);
    await expect(open({ path })).rejects.toMatchObject({ code: "HOLDFAST_INVALID_ARGUMENT" });
    expect(readdirSync(path)).toEqual([]);
  });

  test.each(["", "a\0b", "trailing ", 7, undefined])("path %j", async (wrong) => {
    await expect(open({ path: wrong as string })).rejects.toMatchObject({ code: "HOLDFAST_INVALID_ARGUMENT" });
  });

  test("a durability that does not exist", async () => {
    await expect(open({ path, durability: "none" as "power" })).rejects.toMatchObject({
      code: "HOLDFAST_INVALID_ARGUMENT",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a database without a file, which can have no write-ahead log", async () => {
    await expect(open({ path: ":memory:" })).rejects.toMatchObject({ code: "HOLDFAST_UNSUPPORTED" });
  });

  test("somebody else's database, which stays as it is", async () => {
    const other = new Database(path);
    other.exec("CREATE TABLE store (a); INSERT INTO store VALUES (1)");
    other.close();
    const before = readFileSync(path);
    await expect(open({ path })).rejects.toMatchObject({ code: "HOLDFAST_INVALID_ARGUMENT" });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["store.db"]);
  });

  test("a file that is no database, which stays as it is", async () => {
    writeFileSync(path, "Dear diary, ".repeat(1_000));
    await expect(open({ path })).rejects.toMatchObject({ code: "HOLDFAST_CORRUPTION" });
    expect(readFileSync(path, "utf8")).toBe("Dear diary, ".repeat(1_000));
  });

  test("a store of a newer format, which stays as it is", async () => {
    await (await open({ path })).close();
    await faults.markNewer?.(folder);
    const before = readFileSync(path);
    await expect(open({ path })).rejects.toMatchObject({ code: "HOLDFAST_UNSUPPORTED" });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["store.db"]);
  });

  test("a file that can only be read", async () => {
    const store = await open({ path });
    await store.messages.appendMessages("s", 0, [createEnvelope({ type: "t", data: 1 })]);
    await store.close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    // Root may write all the same, unless it has lost that power.
    const powerless = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
    try {
      expect(await new Child("open-and-tell", [path], powerless).next()).toBe("HOLDFAST_UNAVAILABLE");
    } finally {
      chmodSync(folder, 0o755);
      chmodSync(path, 0o644);
    }
    const again = await open({ path });
    expect(await again.messages.nextOffset("s")).toBe(1);
    await again.close();
  });
});

describe("what can be opened", () => {
  test("an empty file, an odd name, and a link to it", async () => {
    const odd = join(folder, "a?b#c %20'\".db");
    writeFileSync(odd, "");
    const store = await open({ path: odd });
    await store.messages.appendMessages("s", 0, [createEnvelope({ type: "t", data: 1 })]);
    const link = join(folder, "link.db");
    symlinkSync(odd, link);
    const linked = await open({ path: link });
    expect(linked.id).toBe(store.id);
    expect(await linked.messages.nextOffset("s")).toBe(1);
    await linked.close();
    await store.close();
    expect(readdirSync(folder).sort()).toEqual([odd, link].map((name) => name.slice(folder.length + 1)).sort());
  });

  test("one path by many processes at once, which creates one store", async () => {
    const children = Array.from({ length: 6 }, () => new Child("open-and-tell", [path]));
    const ids = await Promise.all(children.map((child) => child.next<string>()));
    const store = await open({ path });
    expect(ids).toEqual(ids.map(() => store.id));
    await store.close();
  });

  test("and after close no handle is left", async () => {
    const stores = [await open({ path }), await open({ path })];
    await stores[0]?.messages.appendMessages("s", 0, [createEnvelope({ type: "t", data: 1 })]);
    const cursor = await stores[1]?.messages.openGlobal(1);
    const waiting = cursor?.next().catch((error: unknown) => (error as { readonly code: string }).code);
    for (const store of stores) await store.close();
    expect(await waiting).toBe("HOLDFAST_CLOSED");
    expect(openFiles().filter((file) => file.startsWith(folder))).toEqual([]);
    expect(readdirSync(folder)).toEqual(["store.db"]);
  });
});

/** What this process has open, where the system tells. */
function openFiles(): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

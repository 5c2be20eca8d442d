import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DriverDataStore } from "@holdfast/core/driver";
import { createEnvelope, type Envelope, type GloballyOrderedMessageStore, SqliteDataStore } from "@holdfast/sqlite";
import { canMount, canTrace, freshFolder } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteDriver } from "../src/sqlite-driver.ts";
import { Child } from "./child.ts";
import { traced, withFailingSyncs } from "./strace.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await freshFolder();
  path = join(folder, "store.db");
});
afterEach(() => rm(folder, { recursive: true }));

describe("statements, counted", () => {
  const settings = { settleTimeoutMs: 10_000, noticeMs: 25 };
  const messages = (count: number): Envelope[] =>
    Array.from({ length: count }, () => createEnvelope({ type: "t", data: 1 }));
  let statements: string[] = [];
  let store: DriverDataStore<GloballyOrderedMessageStore>;

  beforeEach(async () => {
    const verbose = (sql: unknown) => void statements.push(String(sql));
    store = new DriverDataStore(await openSqliteDriver({ path, verbose }, settings), settings);
    for (let stream = 0; stream < 64; stream++) await store.messages.appendMessages(`s${stream}`, 0, messages(1));
    await store.state.upsert("p", 0, 1);
  });
  afterEach(() => store.close());

  const count = async (work: () => Promise<unknown>) => {
    statements = [];
    await work();
    return statements.length;
  };

  test("an append: BEGIN, the log's end, INSERT, the log's new end, COMMIT", async () => {
    expect(await count(() => store.messages.appendMessages("s1", 1, messages(1)))).toBe(5);
    expect(statements.map((sql) => sql.split(" ", 1)[0])).toEqual(["BEGIN", "SELECT", "INSERT", "UPDATE", "COMMIT"]);
    expect(await count(() => store.messages.appendMessages("s1", 2, messages(10)))).toBe(4 + 3);
  });

  test("64 appends at once: one transaction, two INSERTs of 32 messages", async () => {
    const together = () =>
      Promise.all(
        Array.from({ length: 64 }, (_, stream) => store.messages.appendMessages(`s${stream}`, 1, messages(1))),
      );
    expect(await count(together)).toBe(4 + 2);
  });

  test("a state: BEGIN, the log's end, its revision, UPDATE, COMMIT", async () => {
    expect(await count(() => store.state.upsert("p", 1, 2))).toBe(5);
  });

  test("a load: BEGIN, the log's end, the record without its receipts, COMMIT", async () => {
    expect(await count(() => store.state.load("p"))).toBe(4);
    expect(statements.some((sql) => sql.includes("receipts"))).toBe(false);
  });

  test("a refused write: nothing is written", async () => {
    expect(
      await count(() => store.messages.appendMessages("s1", 9, messages(1)).catch(() => undefined)),
    ).toBeLessThanOrEqual(4 + 4);
    expect(statements.some((sql) => /^(INSERT|UPDATE|DELETE)/.test(sql))).toBe(false);
  });

  test("a page of 64 messages: one SELECT for their size, one for them", async () => {
    const cursor = await store.messages.openGlobal(0);
    expect(await count(() => cursor.tryNext())).toBe(5);
    expect(await count(async () => void (await cursor.tryNext()))).toBe(0);
    await cursor.close();
  });

  test("a waiting reader: one PRAGMA each time that it looks", async () => {
    const cursor = await store.messages.openGlobal(64);
    const stop = new AbortController();
    const waiting = cursor.next({ signal: stop.signal }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const looks = await count(() => new Promise((resolve) => setTimeout(resolve, 500)));
    stop.abort();
    await waiting;
    expect(new Set(statements)).toEqual(new Set(["PRAGMA data_version"]));
    expect(looks).toBeLessThanOrEqual(500 / settings.noticeMs + 1);
    await cursor.close();
  });
});

describe.runIf(canTrace())("syncs to disk, counted by strace", () => {
  const syncs = async (durability: "power" | "process", count: number, group: number, size: number) => {
    const place = join(folder, `${count}-${group}-${size}.db`);
    const { sent, syncs } = await traced(folder, "append", [
      place,
      durability,
      String(count),
      String(group),
      String(size),
    ]);
    expect(sent).toEqual([count * group * size]);
    return syncs;
  };

  test.each([
    { what: "a lone append", group: 1, size: 1 },
    { what: "64 appends at once", group: 64, size: 1 },
    { what: "an append of 100 messages", group: 1, size: 100 },
  ])("$what: one", async ({ group, size }) => {
    expect((await syncs("power", 22, group, size)) - (await syncs("power", 2, group, size))).toBe(20);
  });

  test("durability process: none for an append", async () => {
    expect((await syncs("process", 22, 1, 1)) - (await syncs("process", 2, 1, 1))).toBe(0);
  });

  test("L-5: after a failed sync the write's outcome is unknown, and nothing more is written until the store is reopened", async () => {
    await traced(folder, "append", [path, "power", "3", "1", "1"]);
    const [told] = (await withFailingSyncs("append-until-it-fails", [path], 8)) as [{ readonly acknowledged: number }];
    const { acknowledged } = told;
    expect(told).toEqual({
      acknowledged,
      first: "HOLDFAST_OUTCOME_UNKNOWN",
      second: "HOLDFAST_REOPEN",
      readable: 0 + acknowledged,
      record: 0 + acknowledged,
    });
    expect(acknowledged).toBeGreaterThan(0);
    const store = await SqliteDataStore.open({ path });
    const next = await store.messages.nextOffset("s");
    expect([acknowledged, acknowledged + 1]).toContain(next);
    await store.messages.appendMessages("s", next, [createEnvelope({ type: "t", data: 1 })]);
    await store.close();
  });
});

test.runIf(canMount())("a full disk: unavailable, nothing lost, and it goes on when there is room", async () => {
  const child = new Child("fill-disk", [folder], ["unshare", "--map-root-user", "--mount"]);
  const told = await child.next<{ readonly acknowledged: number }>();
  const acknowledged = told?.acknowledged ?? 0;
  expect(told).toEqual({
    acknowledged,
    full: "HOLDFAST_UNAVAILABLE",
    kept: acknowledged,
    afterwards: "ok",
    read: acknowledged + 1,
  });
  expect(acknowledged).toBeGreaterThan(10);
});

import { describe, expect, test, vi } from "vitest";
import type { LogPage } from "../../src/commit-log/commit-log.ts";
import { slotLog } from "../../src/commit-log/slot-log.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { block, MergingSlots, ScriptedSlots } from "./scripted-slots.ts";

const PLENTY = 64 * 1024 * 1024;

function soon(): number {
  return performance.now() + 10_000;
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array {
  return new Uint8Array(bytes ?? []);
}

function pageOf(page: LogPage | "merged"): LogPage {
  if (page === "merged") throw new Error("merged");
  return page;
}

describe("a page", () => {
  test("at an end where nothing is new costs one request", async () => {
    const slots = new ScriptedSlots();
    slots.fill(3);
    const log = slotLog(slots);
    const { next } = pageOf(await log.read(0, PLENTY));
    slots.calls.length = 0;
    expect(await log.read(next, PLENTY)).toEqual({ blocks: [], next: 3, more: false });
    expect(slots.calls).toEqual(["read 3"]);
  });

  const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 127, 128, 511, 1_000, 1_023, 1_024];
  test.each(lengths)("of %i new blocks reads each once, and finds at most 3 + log2 of them free", async (length) => {
    const slots = new ScriptedSlots();
    slots.fill(5 + length);
    const log = slotLog(slots);
    const { blocks, next, more } = pageOf(await log.read(5, PLENTY));
    expect({ next, more }).toEqual({ next: 5 + length, more: false });
    expect(blocks).toEqual(
      Array.from({ length }, (_, index) => ({ position: 5 + index, bytes: copyOf(slots.blocks.get(5 + index)) })),
    );
    const asked = slots.slotsOf("read");
    const found = asked.filter((slot) => slot < 5 + length);
    expect(found.toSorted((one, two) => one - two)).toEqual(Array.from({ length }, (_, index) => 5 + index));
    expect(asked.length - length).toBeLessThanOrEqual(3 + Math.log2(Math.max(1, length)));
    expect(asked.length).toBe(slots.calls.length);
  });

  test("is read in parallel, 16 slots at once at most", async () => {
    const slots = new ScriptedSlots();
    slots.fill(200);
    await slotLog(slots).read(0, PLENTY);
    expect(slots.mostReadsAtOnce).toBe(16);
  });

  test("ends at its limit, and the next one goes on; nothing is read twice, and not much too early", async () => {
    const slots = new ScriptedSlots();
    slots.fill(100, 10_000);
    const log = slotLog(slots);
    const sizes: number[] = [];
    for (let from = 0, more = true; more; ) {
      const page = pageOf(await log.read(from, 50_000));
      sizes.push(page.blocks.length);
      expect(page.blocks.map(({ position }) => position)).toEqual(page.blocks.map((_, index) => from + index));
      expect(page.next).toBe(from + page.blocks.length);
      ({ next: from, more } = page);
      const early = slots.slotsOf("read").filter((slot) => slot >= from && slot < 100);
      expect(early.length, "only what the look for the end met").toBeLessThanOrEqual(2 * Math.log2(100));
    }
    expect(sizes).toEqual([...Array(20).fill(5), 0]);
    const found = slots.slotsOf("read").filter((slot) => slot < 100);
    expect(new Set(found).size).toBe(found.length);
  });

  test("ends at its limit where the blocks grow, too", async () => {
    const slots = new ScriptedSlots();
    slots.fill(50, 100);
    const log = slotLog(slots);
    await log.read(0, PLENTY);
    slots.fill(20, 10_000);
    const sizes = pageOf(await log.read(50, 25_000)).blocks.map(({ bytes }) => bytes.length);
    expect(sizes.length).toBe(3);
  });

  test("has one block at least, however small the limit", async () => {
    const slots = new ScriptedSlots();
    slots.fill(2, 1_000);
    expect(await slotLog(slots).read(0, 1)).toMatchObject({ blocks: [{ position: 0 }], next: 1, more: true });
  });

  test("has what lay there when it was called, though a look that began before found it free", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    let answer: () => void = () => undefined;
    slots.readScript.push(() => new Promise((resolve) => (answer = resolve)));
    const early = log.read(0, PLENTY);
    await vi.waitFor(() => expect(slots.calls).toEqual(["read 0"]));
    slots.fill(1);
    const late = log.read(0, PLENTY);
    answer();
    expect(pageOf(await early).blocks).toEqual([]);
    expect(pageOf(await late).blocks).toHaveLength(1);
  });

  test("asked for by many at once is read for all of them together", async () => {
    const slots = new ScriptedSlots();
    slots.fill(20);
    const log = slotLog(slots);
    const pages = await Promise.all(Array.from({ length: 50 }, () => log.read(0, PLENTY)));
    for (const page of pages) expect(pageOf(page).blocks).toHaveLength(20);
    const found = slots.slotsOf("read").filter((slot) => slot < 20);
    expect(new Set(found).size).toBe(found.length);
  });

  test("with a hole in it is damage", async () => {
    const slots = new ScriptedSlots();
    slots.fill(20);
    const log = slotLog(slots);
    await log.readBytes(19, 0, 10);
    slots.blocks.delete(4);
    await expect(log.read(0, PLENTY)).rejects.toMatchObject({ name: "DriverFailure", kind: "corruption" });
  });

  test("that can't be read rejects with a DriverFailure", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    const cause = new Error("connection reset");
    slots.readScript.push(() => Promise.reject(cause));
    await expect(log.read(0, PLENTY)).rejects.toMatchObject({ name: "DriverFailure", kind: "unavailable", cause });
    const failure = new DriverFailure("unsupported", "not the store it was");
    slots.readScript.push(() => Promise.reject(failure));
    await expect(log.read(0, PLENTY)).rejects.toBe(failure);
  });
});

describe("bytes of a block", () => {
  const bytes = block(500);

  async function appended(slots: ScriptedSlots) {
    const log = slotLog(slots);
    await log.append(bytes, soon());
    return { log, elsewhere: slotLog(slots) };
  }

  test("that was written or read of late cost no request", async () => {
    const slots = new MergingSlots();
    const { log, elsewhere } = await appended(slots);
    await elsewhere.read(0, 1);
    slots.calls.length = 0;
    for (const each of [log, elsewhere]) {
      expect(Buffer.from((await each.readBytes(0, 200, 50)) as Uint8Array)).toEqual(bytes.subarray(200, 250));
    }
    expect(slots.calls).toEqual([]);
  });

  test("are read in part, or whole where the store can't", async () => {
    const merging = new MergingSlots();
    const { elsewhere } = await appended(merging);
    expect(await elsewhere.readBytes(0, 200, 50)).toEqual(copyOf(bytes.subarray(200, 250)));
    expect(merging.calls).toEqual(["create 0", "part 0"]);

    const plain = new ScriptedSlots();
    const { elsewhere: whole } = await appended(plain);
    expect(await whole.readBytes(0, 200, 50)).toEqual(copyOf(bytes.subarray(200, 250)));
    expect(plain.calls).toEqual(["create 0", "read 0"]);
  });

  test("are kept for the newest 16 MiB or so, one's own as any other's", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    for (let slot = 0; slot < 6; slot++) {
      await log.append(block(4 * 1024 * 1024), soon());
      await log.read(slot, 1);
    }
    slots.calls.length = 0;
    await log.readBytes(5, 0, 10);
    await log.readBytes(3, 0, 10);
    expect(slots.calls).toEqual([]);
    await log.readBytes(0, 0, 10);
    expect(slots.calls).toEqual(["read 0"]);
  });

  test("that was merged away meanwhile are merged, wherever they began", async () => {
    const slots = new MergingSlots();
    const { log } = await appended(slots);
    await log.read(0, PLENTY);
    await log.forget?.(1);
    for (const at of [0, 50, 200]) expect(await slotLog(slots).readBytes(0, at, 20), `from ${at}`).toBe("merged");
  });

  test("that are gone, or cut off, are damage", async () => {
    const slots = new MergingSlots();
    const { elsewhere } = await appended(slots);
    await expect(elsewhere.readBytes(1, 200, 50)).rejects.toMatchObject({ kind: "corruption" });
    slots.blocks.set(0, bytes.subarray(0, 220));
    await expect(elsewhere.readBytes(0, 200, 50)).rejects.toMatchObject({ kind: "corruption" });
  });
});

describe("what a store brings along", () => {
  test("is passed through, and what it lacks is lacking", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    const { storeId, durable, noticeMs, maxGroupBytes, mergeAfter } = slots;
    expect(log).toMatchObject({ storeId, durable, noticeMs, maxGroupBytes, mergeAfter, start: 0 });
    expect(["archive", "watch", "forget"].filter((name) => name in log)).toEqual([]);
    await log.close();
    expect(slots.calls).toEqual(["close"]);
  });

  test("watch is called on the store itself", () => {
    class Watched extends ScriptedSlots {
      watch(wake: () => void): () => void {
        wake();
        return () => void this.calls.push("unwatched");
      }
    }
    const slots = new Watched();
    let woken = 0;
    slotLog(slots).watch?.(() => (woken += 1))();
    expect([woken, slots.calls]).toEqual([1, ["unwatched"]]);
  });
});

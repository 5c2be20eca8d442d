import { expect, test } from "vitest";
import { slotLog } from "../../src/commit-log/slot-log.ts";
import { applyAndHang, block, hang, MergingSlots } from "./scripted-slots.ts";

const PLENTY = 64 * 1024 * 1024;

function soon(): number {
  return performance.now() + 10_000;
}

test("merged slots keep their names, and the ids of their blocks", async () => {
  const slots = new MergingSlots();
  slots.fill(5, 1_000);
  const ids = [...slots.blocks.values()].map(idOf);
  const log = slotLog(slots);
  await log.read(0, PLENTY);
  await log.forget?.(3);
  expect([...slots.blocks.keys()]).toEqual([0, 1, 2, 3, 4]);
  expect([...slots.blocks.values()].map(idOf)).toEqual(ids);
  expect([...slots.blocks.values()].map((bytes) => bytes.length < 128)).toEqual([true, true, true, false, false]);
});

test("each is replaced once, and none that was merged before the log was opened", async () => {
  const slots = new MergingSlots();
  slots.fill(50);
  const log = slotLog(slots);
  await log.read(10, PLENTY);
  await log.forget?.(30);
  await log.forget?.(40);
  await log.forget?.(20);
  await log.forget?.(40);
  expect(slots.slotsOf("replace")).toEqual(Array.from({ length: 30 }, (_, index) => 10 + index));
});

test("a stub that another process put there stays as it is", async () => {
  const slots = new MergingSlots();
  slots.fill(3);
  const [one, two] = [slotLog(slots), slotLog(slots)];
  await one.read(0, 1);
  await one.forget?.(3);
  await two.read(3, PLENTY);
  const log = slotLog(slots);
  await expect(log.read(0, PLENTY)).resolves.toBe("merged");
  slots.calls.length = 0;
  await log.forget?.(3);
  expect(slots.slotsOf("replace")).toEqual([]);
});

test("what could not be replaced is replaced the next time", async () => {
  class Moody extends MergingSlots {
    failures = 1;
    override async replace(slot: number, stub: Uint8Array): Promise<void> {
      if (slot === 1 && this.failures-- > 0) throw new Error("busy");
      await super.replace(slot, stub);
    }
  }
  const slots = new Moody();
  slots.fill(3);
  const log = slotLog(slots);
  await log.read(0, PLENTY);
  await expect(log.forget?.(3)).rejects.toMatchObject({ name: "DriverFailure", kind: "unavailable" });
  await log.forget?.(3);
  await expect(slotLog(slots).read(1, PLENTY)).resolves.toBe("merged");
});

test("a read that begins at a merged slot is told so; one that comes to it ends in front", async () => {
  const slots = new MergingSlots();
  slots.fill(6);
  const log = slotLog(slots);
  await log.read(2, PLENTY);
  await log.forget?.(4);
  const fresh = slotLog(slots);
  expect(await fresh.read(1, PLENTY)).toMatchObject({ blocks: [{ position: 1 }], next: 2, more: true });
  expect(await fresh.read(2, PLENTY)).toBe("merged");
  expect(await fresh.read(4, PLENTY)).toMatchObject({ blocks: [{ position: 4 }, { position: 5 }], next: 6 });
});

test("a writer that slept finds its place taken, and the stub says that it is its own block", async () => {
  const slots = new MergingSlots();
  const log = slotLog(slots);
  slots.script.push(applyAndHang);
  const bytes = block(1_000);
  expect((await log.append(bytes, performance.now() + 5)).kind).toBe("uncertain");
  slots.fill(200);
  await merge(slots);
  slots.calls.length = 0;
  expect(await log.append(bytes, soon())).toEqual({ kind: "appended" });
  expect(slots.calls).toEqual(["create 0", "read 0"]);
});

test("or another's, and then it goes on to the end", async () => {
  const slots = new MergingSlots();
  const log = slotLog(slots);
  slots.script.push(hang);
  const bytes = block(1_000);
  expect((await log.append(bytes, performance.now() + 5)).kind).toBe("uncertain");
  slots.fill(200);
  await merge(slots);
  expect(await log.append(bytes, soon())).toEqual({ kind: "appended" });
  expect(slots.placesOf(bytes)).toEqual([200]);
  expect(slots.gaps).toEqual([]);
});

/** Another process replaces all blocks by stubs. */
async function merge(slots: MergingSlots): Promise<void> {
  const log = slotLog(slots);
  await log.read(0, PLENTY);
  await log.forget?.(slots.blocks.size);
}

function idOf(bytes: Uint8Array): string | undefined {
  return Buffer.from(bytes)
    .toString("latin1")
    .match(/"id":"([^"]+)"/)?.[1];
}

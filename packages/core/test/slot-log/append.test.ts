import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Appended } from "../../src/commit-log/commit-log.ts";
import { slotLog } from "../../src/commit-log/slot-log.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { applyAndHang, block, hang, loseReply, loseRequest, ScriptedSlots } from "./scripted-slots.ts";

const PATIENCE_MS = 10_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Lets the virtual clock run until the promise is settled. */
async function run<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const ended = promise.finally(() => {
    settled = true;
  });
  ended.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  while (!settled) await vi.advanceTimersToNextTimerAsync();
  return ended;
}

function append(log: ReturnType<typeof slotLog>, bytes: Uint8Array, patienceMs = PATIENCE_MS): Promise<Appended> {
  return run(log.append(bytes, performance.now() + patienceMs));
}

describe("a lone writer", () => {
  test("asks for one create a block, and for nothing to read it back", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    for (let slot = 0; slot < 100; slot++) {
      const bytes = block(100);
      expect(await append(log, bytes)).toEqual({ kind: "appended" });
      const page = await log.read(slot, bytes.length);
      expect(page).toEqual({ blocks: [{ position: slot, bytes }], next: slot + 1, more: true });
    }
    expect(slots.calls).toEqual(Array.from({ length: 100 }, (_, slot) => `create ${slot}`));
  });

  test("reads back not even a block that many larger ones follow", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    const mine = block();
    await append(log, mine);
    slots.fill(6, 4 * 1024 * 1024);
    await log.readBytes(5, 0, 10);
    for (let slot = 1; slot < 6; slot++) await log.readBytes(slot, 0, 10);
    slots.calls.length = 0;
    expect(await log.read(0, 1)).toMatchObject({ blocks: [{ bytes: mine }] });
    expect(slots.calls).toEqual([]);
  });
});

test("a writer whose time is all but endless is not told at once that it is up", async () => {
  const slots = new ScriptedSlots();
  slots.script.push(async (apply) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return apply();
  });
  expect(await append(slotLog(slots), block(), 2 ** 40)).toEqual({ kind: "appended" });
});

describe("a slot that is taken", () => {
  test("is lost: the same bytes go to the next one before the winner is read", async () => {
    const slots = new ScriptedSlots();
    slots.fill(1);
    let readWinner: () => void = () => undefined;
    slots.readScript.push(() => new Promise((resolve) => (readWinner = resolve)));
    const bytes = block();
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.placesOf(bytes)).toEqual([1]);
    expect(slots.slotsOf("create")).toEqual([0, 1]);
    expect(slots.slotsOf("read"), "the winner is read meanwhile").toContain(0);
    readWinner();
  });

  test("leaves the winner's bytes with the log: its next read costs no request", async () => {
    const slots = new ScriptedSlots();
    slots.fill(1);
    const log = slotLog(slots);
    const bytes = block();
    await append(log, bytes);
    slots.calls.length = 0;
    const page = await log.read(0, 300);
    expect(page).toMatchObject({ blocks: [{ position: 0 }, { position: 1, bytes }] });
    expect(slots.calls.filter((call) => /create| [01]$/.test(call))).toEqual([]);
  });

  test("by nobody's fault but a repeated request of our own: it is found out, and the block is not sent a third time", async () => {
    const slots = new ScriptedSlots();
    const bytes = block();
    // The first copy of the request took effect, and the second copy's reply came back.
    slots.script.push(async (apply) => {
      apply();
      return apply();
    });
    slots.script.push(async (apply) => {
      slots.fill(1);
      return apply();
    });
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.placesOf(bytes)).toEqual([0]);
    expect(slots.slotsOf("create")).toEqual([0, 1]);
  });

  test("with many taken behind it: the end is looked for before anything is sent again", async () => {
    const slots = new ScriptedSlots();
    slots.fill(1_000);
    const bytes = block();
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.placesOf(bytes)).toEqual([1_000]);
    expect(slots.slotsOf("create")).toEqual([0, 1, 3, 1_000]);
    expect(slots.slotsOf("read").length).toBeLessThan(30);
    const found = slots.slotsOf("read").filter((slot) => slot < 1_000);
    expect(new Set(found).size, "none is read twice").toBe(found.length);
    expect(slots.gaps).toEqual([]);
  });

  test("and the look for the end fails: it is asked again", async () => {
    const slots = new ScriptedSlots();
    slots.fill(100);
    for (let read = 0; read < 5; read++) {
      slots.readScript.push(async () => undefined);
      slots.readScript.push(async () => Promise.reject(new Error("busy")));
    }
    expect(await append(slotLog(slots), block())).toEqual({ kind: "appended" });
    expect(slots.gaps).toEqual([]);
  });

  test("at every try until the time is up: it is said that nothing was written", async () => {
    const slots = new ScriptedSlots();
    const others = async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      slots.fill(1);
      return "taken" as const;
    };
    for (let slot = 0; slot < 100; slot++) slots.script.push(others);
    const bytes = block();
    const appended = await append(slotLog(slots), bytes, 100);
    expect(appended).toMatchObject({ kind: "notWritten", cause: { kind: "unavailable" } });
    // A fourth try would have been answered at 120 ms.
    expect(slots.slotsOf("create")).toEqual([0, 1, 2]);
    expect(slots.placesOf(bytes)).toEqual([]);
    expect(performance.now()).toBeLessThanOrEqual(100);
  });
});

describe("a lost reply", () => {
  test("after the effect: the same slot is sent again, and what lies there says that it is ours", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseReply, loseReply);
    const bytes = block();
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.calls).toEqual(["create 0", "create 0", "create 0", "read 0"]);
    expect(slots.placesOf(bytes)).toEqual([0]);
  });

  test("before the effect: the same slot is sent again", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseRequest, loseRequest);
    expect(await append(slotLog(slots), block())).toEqual({ kind: "appended" });
    expect(slots.calls).toEqual(["create 0", "create 0", "create 0"]);
  });

  test("of a slot that another one took: nothing is sent on before that is known", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(async () => {
      slots.fill(1);
      throw new Error("the reply was lost");
    });
    const bytes = block();
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.calls.slice(0, 4)).toEqual(["create 0", "create 0", "read 0", "create 1"]);
    expect(slots.placesOf(bytes)).toEqual([1]);
  });

  test("whose request lands late finds its slot settled: there is one copy", async () => {
    const slots = new ScriptedSlots();
    let late: () => unknown = () => undefined;
    slots.script.push((apply) => {
      late = apply;
      return Promise.reject(new Error("timeout"));
    });
    slots.script.push(async (apply) => {
      late();
      return apply();
    });
    const bytes = block();
    expect(await append(slotLog(slots), bytes)).toEqual({ kind: "appended" });
    expect(slots.placesOf(bytes)).toEqual([0]);
    expect(slots.slotsOf("create")).toEqual([0, 0]);
  });

  test("with reads that fail: they are asked again", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseReply);
    slots.readScript.push(
      () => Promise.reject(new Error("busy")),
      () => Promise.reject(new DriverFailure("unavailable", "busy")),
    );
    expect(await append(slotLog(slots), block())).toEqual({ kind: "appended" });
    expect(slots.slotsOf("read")).toEqual([0, 0, 0]);
  });

  test("behind one that was answered: the pauses begin anew", async () => {
    const slots = new ScriptedSlots();
    const times: number[] = [];
    const lose = () => {
      times.push(performance.now());
      return Promise.reject(new Error("busy"));
    };
    const others = async () => {
      slots.fill(1);
      return "taken" as const;
    };
    slots.script.push(lose, lose, lose, lose, lose, lose, others, lose, lose);
    expect(await append(slotLog(slots), block())).toEqual({ kind: "appended" });
    const [before = 0, after = 0] = times.slice(-2);
    expect(after - before).toBeLessThan(16);
  });

  test("and then damage where the block should lie: it is told at once", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseReply);
    const cause = new DriverFailure("corruption", "damaged");
    slots.readScript.push(() => Promise.reject(cause));
    expect(await append(slotLog(slots), block())).toEqual({ kind: "uncertain", cause });
    expect(slots.slotsOf("read")).toEqual([0]);
  });

  test("is tried again by different writers at different times", async () => {
    const pauses = new Set<number>();
    for (const random of [0, 0.5, 0.9]) {
      vi.spyOn(Math, "random").mockReturnValue(random);
      const slots = new ScriptedSlots();
      slots.script.push(loseRequest);
      const sentAt = performance.now();
      await append(slotLog(slots), block());
      pauses.add(performance.now() - sentAt);
    }
    expect(pauses.size).toBe(3);
  });

  test("again and again: the pauses grow, and never beyond a second or so", async () => {
    const slots = new ScriptedSlots();
    const times: number[] = [];
    for (let tries = 0; tries < 100; tries++) {
      slots.script.push(() => {
        times.push(performance.now());
        return Promise.reject(new Error("busy"));
      });
    }
    const appended = await append(slotLog(slots), block());
    expect(appended.kind).toBe("uncertain");
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses.length).toBeGreaterThan(8);
    expect(pauses.length).toBeLessThan(30);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_500);
    expect(pauses[0]).toBeLessThan(16);
    expect(new Set(slots.slotsOf("create"))).toEqual(new Set([0]));
  });
});

describe("an append that the deadline ended", () => {
  test("with its reply out is uncertain, and settled at its own slot before anything else", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    slots.script.push(applyAndHang);
    const bytes = block();
    expect((await append(log, bytes, 50)).kind).toBe("uncertain");
    expect(performance.now()).toBe(50);
    slots.fill(20);
    await log.read(0, 10_000);
    slots.calls.length = 0;
    expect(await append(log, bytes)).toEqual({ kind: "appended" });
    expect(slots.slotsOf("create")).toEqual([0]);
    expect(slots.placesOf(bytes)).toEqual([0]);
  });

  test("and whose request never took effect goes behind what came meanwhile", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    slots.script.push(hang);
    const bytes = block();
    expect((await append(log, bytes, 50)).kind).toBe("uncertain");
    slots.fill(20);
    await log.read(0, 10_000);
    expect(await append(log, bytes)).toEqual({ kind: "appended" });
    expect(slots.slotsOf("create")).toEqual([0, 0, 20]);
    expect(slots.placesOf(bytes)).toEqual([20]);
  });

  test("sends nothing else: other bytes are turned away", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    slots.script.push(hang);
    await append(log, block(), 50);
    slots.calls.length = 0;
    expect((await append(log, block())).kind).toBe("notWritten");
    expect(slots.calls).toEqual([]);
  });

  test("before it knew who took the slot in front looks at both", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    slots.script.push(async (apply) => {
      apply();
      return apply();
    }, hang);
    slots.readScript.push(() => new Promise((_, reject) => setTimeout(reject, 60, new Error("busy"))));
    const bytes = block();
    expect((await append(log, bytes, 50)).kind).toBe("uncertain");
    slots.fill(1);
    expect(await append(log, bytes)).toEqual({ kind: "appended" });
    expect(slots.slotsOf("create")).toEqual([0, 1, 1]);
    expect(slots.placesOf(bytes)).toEqual([0]);
  });

  test("before the look at a taken slot was answered says that nobody knows", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseReply);
    slots.readScript.push(() => new Promise(() => undefined));
    const appended = await append(slotLog(slots), block(), 500);
    expect(appended.kind).toBe("uncertain");
    expect(performance.now()).toBe(500);
  });
});

describe("a DriverFailure of create", () => {
  test("means that nothing was created: it is not tried again", async () => {
    const slots = new ScriptedSlots();
    const log = slotLog(slots);
    const cause = new DriverFailure("unavailable", "the disk is full");
    slots.script.push(() => Promise.reject(cause));
    expect(await append(log, block())).toEqual({ kind: "notWritten", cause });
    expect(slots.calls).toEqual(["create 0"]);
    expect(await append(log, block())).toEqual({ kind: "appended" });
  });

  test("says nothing of an earlier try whose reply was lost", async () => {
    const slots = new ScriptedSlots();
    slots.script.push(loseReply, () => Promise.reject(new DriverFailure("unavailable", "the disk is full")));
    expect(await append(slotLog(slots), block())).toEqual({ kind: "appended" });
    expect(slots.slotsOf("create")).toEqual([0, 0, 0]);
  });

  test('of kind "reopen" is passed on', async () => {
    const slots = new ScriptedSlots();
    const cause = new DriverFailure("reopen", "a sync to disk failed");
    slots.script.push(() => Promise.reject(cause));
    expect(await append(slotLog(slots), block())).toEqual({ kind: "reopen", cause });
    expect(slots.calls).toEqual(["create 0"]);
    const other = new ScriptedSlots();
    other.script.push(loseReply, () => Promise.reject(cause));
    expect(await append(slotLog(other), block())).toEqual({ kind: "reopen", cause });
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pace } from "../../src/commit-log/pace.ts";
import { SlotReader } from "../../src/commit-log/slot-log-reader.ts";
import { SlotWriter } from "../../src/commit-log/slot-log-writer.ts";
import { Random } from "../../src/conformance/random.ts";
import { block, ScriptedSlots } from "./scripted-slots.ts";

const LATENCY_MS = 30;
const SECONDS = 60;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** Slots as an object store has them: each request travels, and takes effect in the middle. */
class RemoteSlots extends ScriptedSlots {
  readonly #random: Random;
  readonly #jitter: number;

  constructor(random: Random, jitter: number) {
    super();
    this.#random = random;
    this.#jitter = jitter;
  }

  override async create(slot: number, bytes: Uint8Array): Promise<"created" | "taken"> {
    await this.#travel();
    const reply = await super.create(slot, bytes);
    await this.#travel();
    return reply;
  }

  override async read(slot: number): Promise<Uint8Array | undefined> {
    await this.#travel();
    const bytes = await super.read(slot);
    await this.#travel();
    return bytes;
  }

  #travel(): Promise<void> {
    const ms = (LATENCY_MS / 2) * (1 + this.#jitter * (this.#random.next() - 0.5));
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** A writer that never yields. */
class Greedy extends Pace {
  override async turn(): Promise<void> {}
}

interface Race {
  readonly blocks: number;
  /** The fewest blocks of a writer, by the most of one. */
  readonly fairness: number;
  readonly longestWaitMs: number;
}

/** So many writers append without a pause for a virtual minute. They begin one after the other. */
async function race(writers: number, pace: () => Pace, jitter: number): Promise<Race> {
  const slots = new RemoteSlots(new Random(writers), jitter);
  const end = performance.now() + SECONDS * 1_000;
  const counts = Array<number>(writers).fill(0);
  let longestWaitMs = 0;
  const write = async (index: number) => {
    const writer = new SlotWriter(slots, new SlotReader(slots), pace());
    await new Promise((resolve) => setTimeout(resolve, index * 7));
    for (let sentAt = performance.now(); sentAt < end; sentAt = performance.now()) {
      const { kind } = await writer.append(block(), end + 1_000_000);
      expect(kind).toBe("appended");
      counts[index] = (counts[index] ?? 0) + 1;
      longestWaitMs = Math.max(longestWaitMs, performance.now() - sentAt);
    }
  };
  const all = Promise.all(counts.map((_, index) => write(index)));
  await vi.advanceTimersByTimeAsync(SECONDS * 1_000 + 20_000);
  await all;
  expect(slots.gaps).toEqual([]);
  const blocks = slots.blocks.size;
  return { blocks, fairness: Math.min(...counts) / Math.max(...counts), longestWaitMs };
}

describe.each([2, 4, 8])("%i writers that race", (writers) => {
  test.each([0, 0.2])("share the slots, and none waits long; jitter %d", async (jitter) => {
    const alone = await race(1, () => new Pace(), jitter);
    const { blocks, fairness, longestWaitMs } = await race(writers, () => new Pace(), jitter);
    expect(fairness).toBeGreaterThanOrEqual(0.25);
    expect(longestWaitMs).toBeLessThan(2_000);
    expect(blocks / alone.blocks).toBeGreaterThanOrEqual(0.5);
  });

  test("starve without the yield", async () => {
    const { fairness } = await race(writers, () => new Greedy(), 0);
    expect(fairness).toBeLessThan(0.1);
  });
});

test("a lone writer loses less than 2 % by it", async () => {
  const polite = await race(1, () => new Pace(), 0);
  const greedy = await race(1, () => new Greedy(), 0);
  expect(polite.blocks / greedy.blocks).toBeGreaterThan(0.98);
});

test("a writer that pauses by itself is not held up", async () => {
  const slots = new RemoteSlots(new Random(1), 0);
  const pace = new Pace();
  const writer = new SlotWriter(slots, new SlotReader(slots), pace);
  const write = async () => {
    for (let slot = 0; slot < 50; slot++) {
      const sentAt = performance.now();
      await writer.append(block(), sentAt + 10_000);
      expect(performance.now() - sentAt).toBeLessThanOrEqual(LATENCY_MS);
      await new Promise((resolve) => setTimeout(resolve, LATENCY_MS / 2));
    }
  };
  const written = write();
  await vi.advanceTimersByTimeAsync(10_000);
  await written;
});

test("a lone writer yields after 8 wins, and then after each 16", async () => {
  const pace = new Pace();
  pace.answered(LATENCY_MS);
  const yields: number[] = [];
  for (let slot = 0; slot < 60; slot++) {
    pace.won(slot);
    const turn = pace.turn(performance.now() + 10_000);
    if (vi.getTimerCount() > 0) yields.push(slot + 1);
    await vi.runAllTimersAsync();
    await turn;
  }
  expect(yields).toEqual([8, 24, 40, 56]);
});

test("a writer yields until its deadline at most", async () => {
  const pace = new Pace();
  pace.answered(1_000);
  pace.won(5);
  const turn = pace.turn(performance.now() + 100);
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
  await turn;
});

test("a store too quick for timers is not slowed down", async () => {
  const pace = new Pace();
  pace.answered(1);
  for (let slot = 0; slot < 8; slot++) pace.won(slot);
  let waited = true;
  void pace.turn(10_000).then(() => {
    waited = false;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(waited).toBe(false);
});

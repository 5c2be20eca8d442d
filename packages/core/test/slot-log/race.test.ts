import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Appended, CommitLog } from "../../src/commit-log/commit-log.ts";
import { slotLog } from "../../src/commit-log/slot-log.ts";
import { Random } from "../../src/conformance/random.ts";
import { block, type Reply, ScriptedSlots } from "./scripted-slots.ts";

const given = process.env["HOLDFAST_SEED"];
const seeds = given === undefined ? Array.from({ length: 60 }, () => Math.floor(Math.random() * 2 ** 31)) : [+given];
const WRITERS = 4;
const BLOCKS = 25;

const faults = { lost: 0, late: 0, never: 0, hung: 0, repeated: 0, unreadable: 0 };
const outcomes = { appended: 0, notWritten: 0, uncertain: 0 };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Slots behind a bad network. */
class FaultySlots extends ScriptedSlots {
  readonly #random: Random;

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  override async create(slot: number, bytes: Uint8Array): Promise<Reply> {
    await this.#wait(10);
    const honest = () => super.create(slot, bytes);
    switch (this.#random.integer(12)) {
      case 0:
        faults.lost += 1;
        await honest();
        break;
      case 1:
        // The request is under way long after its sender gave up.
        faults.late += 1;
        setTimeout(() => void honest(), this.#random.integer(500));
        break;
      case 2:
        faults.never += 1;
        break;
      case 3:
        faults.hung += 1;
        setTimeout(() => void honest(), this.#random.integer(500));
        await this.#wait(1_000);
        break;
      case 4:
        faults.repeated += 1;
        await honest();
        return honest();
      default: {
        const reply = await honest();
        await this.#wait(10);
        return reply;
      }
    }
    throw new Error("timeout");
  }

  override async read(slot: number): Promise<Uint8Array | undefined> {
    await this.#wait(10);
    if (this.#random.integer(10) === 0) {
      faults.unreadable += 1;
      throw new Error("timeout");
    }
    const bytes = await super.read(slot);
    await this.#wait(10);
    return bytes;
  }

  #wait(maxMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#random.next() * maxMs));
  }
}

/** Appends its blocks, each to a definite end. */
async function write(log: CommitLog, random: Random): Promise<readonly (readonly [Uint8Array, Appended["kind"]])[]> {
  const told: (readonly [Uint8Array, Appended["kind"]])[] = [];
  for (let count = 0; count < BLOCKS; count++) {
    const bytes = block(random.integer(50));
    let appended: Appended;
    do {
      appended = await log.append(bytes, performance.now() + random.integer(400));
      outcomes[appended.kind as keyof typeof outcomes] += 1;
    } while (appended.kind === "uncertain");
    told.push([bytes, appended.kind]);
  }
  return told;
}

async function readAll(log: CommitLog): Promise<readonly Buffer[]> {
  const blocks: Buffer[] = [];
  for (let from = log.start, more = true; more; ) {
    const page = await log.read(from, 500).catch(() => undefined);
    if (page === undefined) continue;
    if (page === "merged") throw new Error("nothing was merged");
    blocks.push(...page.blocks.map(({ bytes }) => Buffer.from(bytes)));
    ({ next: from, more } = page);
  }
  return blocks;
}

test.each(seeds)("writers behind a bad network agree; HOLDFAST_SEED=%i", async (seed) => {
  const random = new Random(seed);
  vi.spyOn(Math, "random").mockImplementation(() => random.next());
  const slots = new FaultySlots(random);
  const logs = Array.from({ length: WRITERS }, () => slotLog(slots));
  const writing = Promise.all(logs.map((log) => write(log, random)));
  await vi.advanceTimersByTimeAsync(200_000);
  const told = (await writing).flat();
  expect(told.length).toBe(WRITERS * BLOCKS);
  for (const [bytes, kind] of told) {
    const [first, second, ...more] = slots.placesOf(bytes).toSorted((one, two) => one - two);
    if (kind === "notWritten") expect(first, "not written, and there all the same").toBeUndefined();
    else expect(first, "appended, and not there").toBeDefined();
    // Only a request that the network repeated leaves a second copy, and only beside the first.
    if (second !== undefined) expect(second).toBe((first ?? 0) + 1);
    expect(more).toEqual([]);
  }
  expect(slots.gaps).toEqual([]);
  const expected = Array.from(slots.blocks.keys(), (_, slot) => Buffer.from(slots.blocks.get(slot) ?? []));
  const reading = Promise.all([...logs, slotLog(slots)].map(readAll));
  await vi.advanceTimersByTimeAsync(200_000);
  for (const seen of await reading) expect(seen).toEqual(expected);
});

test.runIf(given === undefined)("every fault and outcome came up", () => {
  console.log(`slot log behind a bad network: ${JSON.stringify({ ...faults, ...outcomes })}`);
  for (const [name, count] of Object.entries({ ...faults, ...outcomes })) {
    expect(count, name).toBeGreaterThan(seeds.length);
  }
});

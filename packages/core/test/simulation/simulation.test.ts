import { describe, expect, test } from "vitest";
import { belowFloors, noCounts, tableOf } from "./counts.ts";
import { describeFailure, runSeeds } from "./pool.ts";

const SEEDS = 10_000;
const OPERATIONS = 200;
const BUDGET_MS = 90_000;
const WORKERS = 2;
/** HOLDFAST_SEED says where the seeds begin: those of each run of the tests are others. */
const from = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 1_000_000_000));

describe("the engine, simulated", () => {
  test(
    `${SEEDS} seeds from ${from} on, or as many as there are in ${BUDGET_MS / 1_000} s`,
    async () => {
      const sum = await runSeeds({
        kind: "both",
        from,
        seeds: SEEDS,
        operations: OPERATIONS,
        workers: WORKERS,
        budgetMs: BUDGET_MS,
        stopAtFailure: true,
      });
      console.log(`${sum.seeds} seeds from ${from} on\n${tableOf(sum.counts)}`);
      expect(sum.failures.map((failure) => describeFailure(failure, OPERATIONS))).toEqual([]);
      expect(belowFloors(sum.counts)).toEqual([]);
      expect(sum.seeds).toBeGreaterThan(100);
    },
    BUDGET_MS + 30_000,
  );

  test("slots are shared fairly where all requests take equally long", async () => {
    const sum = await runSeeds({
      kind: "fairness",
      from,
      seeds: 2 * WORKERS,
      operations: 0,
      workers: WORKERS,
      stopAtFailure: false,
    });
    expect(sum.failures.map((failure) => describeFailure(failure, 0))).toEqual([]);
    expect(sum.seeds).toBe(2 * WORKERS);
  }, 60_000);

  test("the same seed gives the same run, whatever ran before it", async () => {
    const hashOf = async (first: number, seeds: number) => {
      const hashes = new Map<number, string>();
      await runSeeds({
        kind: "both",
        from: first,
        seeds,
        operations: OPERATIONS,
        workers: 1,
        stopAtFailure: false,
        told: ({ seed, hash }) => hashes.set(seed, hash),
      });
      return hashes.get(from + 3);
    };
    const hash = await hashOf(from, 4);
    expect(hash).toBeDefined();
    expect(await hashOf(from + 3, 1)).toBe(hash);
  }, 60_000);

  test("a quiet sum is found out", () => {
    expect(belowFloors({ ...noCounts(), operations: 1_000_000 })).toHaveLength(6);
  });
});

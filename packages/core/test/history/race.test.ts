import { afterAll, describe, expect, test } from "vitest";
import { type RaceResult, raceWorkers } from "../../src/conformance/history/race.ts";
import { honestFile } from "../saboteurs/honest.ts";
import { removePlaces } from "../saboteurs/places.ts";
import forgetful from "./forgetful-harness.ts";
import lossy from "./lossy-harness.ts";

afterAll(removePlaces);

const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);

function told({ violations }: RaceResult): string[] {
  return violations.map(({ clauses, what }) => `seed ${seed}: ${clauses.join(" ")}: ${what}`);
}

describe("a race of several processes", () => {
  test("finds nothing in an honest store, and did race", async () => {
    const result = await raceWorkers(honestFile, { seed, operations: 80 });
    expect(told(result)).toEqual([]);
    const { counts } = result;
    expect(counts.operations).toBeGreaterThanOrEqual(480);
    expect(counts).toMatchObject({ unknown: 0, notWritten: 0, unavailable: 0 });
    for (const count of ["ok", "conflicts", "contended", "reads"] as const) expect(counts[count]).toBeGreaterThan(50);
    expect(counts.repeats).toBeGreaterThan(3);
  }, 60_000);

  test("ends when its faults have been made, and knows what a killed worker had sent", async () => {
    let made = 0;
    const result = await raceWorkers(honestFile, {
      seed,
      operations: 100_000,
      during: async (race) => {
        await race.until(100);
        await race.kill(0);
        await race.until(race.made + 100);
        made = race.made;
      },
    });
    expect(told(result)).toEqual([]);
    expect(made).toBeGreaterThanOrEqual(200);
    expect(result.counts.operations).toBeGreaterThanOrEqual(made);
    expect(result.counts.operations).toBeLessThan(10_000);
    const { history } = result;
    const killed = history.filter(({ client }) => client.startsWith("w0"));
    expect(killed.length).toBeGreaterThan(0);
    expect(killed.length).toBeLessThan(history.length / 2);
  }, 60_000);

  test("finds nothing where replies are lost, and lost some", async () => {
    const result = await raceWorkers(lossy, { seed, operations: 60 });
    expect(told(result)).toEqual([]);
    expect(result.counts.unknown).toBeGreaterThan(5);
    expect(result.counts.repeats).toBeGreaterThan(5);
  }, 60_000);

  test("finds a reader that goes backwards", async () => {
    const { violations } = await raceWorkers(forgetful, { seed, operations: 80 });
    expect(violations.flatMap(({ clauses }) => clauses)).toContain("R-10");
  }, 60_000);
});

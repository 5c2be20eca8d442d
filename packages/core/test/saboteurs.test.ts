import { afterAll, describe, expect, test } from "vitest";
import { clauses } from "../src/conformance/clauses.ts";
import type { Harness } from "../src/conformance/harness.ts";
import { runSuite } from "../src/conformance/run-suite.ts";
import { honestKeys, honestLoneFile, honestMemory } from "./saboteurs/honest.ts";
import { constants, constantsByKey, throwing, throwingByKey } from "./saboteurs/hopeless.ts";
import { saboteurs } from "./saboteurs/index.ts";
import { expectCaught } from "./saboteurs/judge.ts";
import { removePlaces } from "./saboteurs/places.ts";

afterAll(removePlaces);

const ids = clauses.map((clause) => clause.id);
const mutants = Array.from({ length: 20 }, (_, index) => `M${String(index + 1).padStart(2, "0")}`);

describe("the suite, judged", () => {
  test("each clause has a saboteur, and each saboteur a clause", () => {
    expect(ids).toHaveLength(72);
    const caught = saboteurs.map((saboteur) => saboteur.caught);
    expect(ids.filter((id) => !caught.flat().includes(id))).toEqual([]);
    expect(caught.flat().filter((id) => !ids.includes(id))).toEqual([]);
    expect(caught.filter(({ length }) => length === 0)).toEqual([]);
  });

  test("the known mutants are among them, and names are theirs alone", () => {
    const names = saboteurs.map(({ name }) => name);
    expect(mutants.filter((mutant) => !names.some((name) => name.startsWith(`${mutant} `)))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([honestMemory, honestKeys, honestLoneFile])(
    "nothing is found in $name",
    async (harness) => {
      await expectCaught(harness, []);
    },
    120_000,
  );

  test.each([
    { what: "always throws", adapters: [throwing, throwingByKey] },
    { what: "returns constants", adapters: [constants, constantsByKey] },
  ])(
    "an adapter that $what breaks every clause",
    async ({ adapters }) => {
      const green = await Promise.all(adapters.map(notFoundBroken));
      // W-9 and G-6's other half are asked only of a store of keys.
      expect(ids.filter((id) => green.every((held) => held.includes(id)))).toEqual([]);
      for (const held of green) expect(held).toEqual([]);
    },
    60_000,
  );
});

/** The clauses that apply to the adapter and were not found broken. */
async function notFoundBroken(harness: Harness): Promise<string[]> {
  const { results, broken } = await runSuite(harness, { seed: 1 });
  const applied = new Set(results.filter(({ outcome }) => outcome !== "left out").map(({ clause }) => clause.id));
  return [...applied].filter((id) => !broken.includes(id));
}

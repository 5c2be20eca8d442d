import { describe, expect, test } from "vitest";
import { checkHistory } from "../../src/conformance/history/check.ts";
import type { FinalState, History } from "../../src/conformance/history/history.ts";
import { randomHistory } from "../../src/conformance/history/random-history.ts";
import { Random } from "../../src/conformance/random.ts";
import { isPossible } from "./brute-force.ts";
import { corruptions } from "./corruptions.ts";
import { edit, type Recorded } from "./edits.ts";

const first = Number(process.env["HOLDFAST_SEED"] ?? 1);
const histories = process.env["HOLDFAST_SEED"] === undefined ? 200_000 : 1;

/** A few operations on one or two places; two of three with up to three edits. */
function small(seed: number): Recorded {
  const random = new Random(seed);
  const options = { clients: 2 + random.integer(3), places: 1 + random.integer(2), lost: random.pick([0, 0.1, 0.5]) };
  const { history, final } = randomHistory(seed, 1 + random.integer(7), options);
  let recorded: Recorded = { history, final: random.next() < 0.5 ? final : asRead(final) };
  const edits = random.integer(4);
  for (let count = 0; count < edits; count++) recorded = edit(recorded, random);
  return recorded;
}

/** A reader knows of a state only what it holds in the end. */
function asRead(final: FinalState): FinalState {
  return { ...final, states: final.states.map(({ revisions: _, ...state }) => state) };
}

/** Whether several transactions of unknown outcome write states: the one case in which the checker may find too little. */
function isHard(history: History, final: FinalState): boolean {
  if (final.states.every(({ revision, revisions }) => revisions?.length === revision)) return false;
  const hard = history.filter(
    (one) =>
      one.kind === "commit" &&
      one.outcome.kind === "unknown" &&
      one.writes.filter(({ kind }) => kind !== "append").length > 1,
  );
  return hard.length > 0;
}

describe("the checker of histories", () => {
  test("agrees with brute force on small ones", () => {
    const counts = { possible: 0, impossible: 0, hard: 0 };
    for (let seed = first; seed < first + histories; seed++) {
      const { history, final } = small(seed);
      const possible = isPossible(history, final);
      counts[possible ? "possible" : "impossible"] += 1;
      const violations = checkHistory(history, final);
      if ((violations.length === 0) === possible) continue;
      if (violations.length === 0 && isHard(history, final)) {
        counts.hard += 1;
        continue;
      }
      const told = `seed ${seed}: brute force says ${possible}, the checker ${JSON.stringify(
        violations.map(({ what }) => what),
        null,
        1,
      )}`;
      expect.fail(`${told}\n${history.map((one) => JSON.stringify(one)).join("\n")}\n${JSON.stringify(final)}`);
    }
    console.log("histories", counts);
    if (histories === 1) return;
    expect(counts.possible).toBeGreaterThan(30_000);
    expect(counts.impossible).toBeGreaterThan(30_000);
    expect(counts.hard).toBeLessThan(50);
  }, 60_000);

  describe("finds nothing in a long valid history", () => {
    test.each([1, 2, 3, 4, 5])("of seed %i", (seed) => {
      const { history, final } = randomHistory(seed, 20_000, { lost: 0.1 });
      expect(checkHistory(history, final)).toEqual([]);
      expect(checkHistory(history, asRead(final))).toEqual([]);
    });
  });

  describe("finds, in a long history,", () => {
    test.each(corruptions)("$name: $clause", ({ clause, corrupt }) => {
      for (let seed = 1; seed <= 5; seed++) {
        const violations = checkHistoryOf(corrupt(randomHistory(seed, 3_000)));
        expect(
          violations.flatMap(({ clauses }) => clauses),
          `seed ${seed}`,
        ).toContain(clause);
      }
    });
  });
});

function checkHistoryOf({ history, final }: Recorded) {
  return checkHistory(history, final);
}

import { afterAll, describe, test } from "vitest";
import { expectCaught } from "./judge.ts";
import { lifeSaboteurs } from "./life.ts";
import { offsetSaboteurs } from "./offsets.ts";
import { removePlaces } from "./places.ts";
import { valueSaboteurs } from "./values.ts";

afterAll(removePlaces);

describe("saboteurs of values, offsets and life are caught by the clauses they name, and no others", () => {
  test.each([...valueSaboteurs, ...offsetSaboteurs, ...lifeSaboteurs])(
    "$name: $lie",
    async ({ harness, caught }) => {
      await expectCaught(harness, caught);
    },
    120_000,
  );
});

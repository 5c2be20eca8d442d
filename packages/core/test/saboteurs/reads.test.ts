import { afterAll, describe, test } from "vitest";
import { globalSaboteurs } from "./global.ts";
import { expectCaught } from "./judge.ts";
import { removePlaces } from "./places.ts";
import { readSaboteurs } from "./read.ts";

afterAll(removePlaces);

describe("saboteurs of reads are caught by the clauses they name, and no others", () => {
  test.each([...readSaboteurs, ...globalSaboteurs])(
    "$name: $lie",
    async ({ harness, caught }) => {
      await expectCaught(harness, caught);
    },
    120_000,
  );
});

import { describe, test } from "vitest";
import { globalSaboteurs } from "./global.ts";
import { expectCaught } from "./judge.ts";
import { lifeSaboteurs } from "./life.ts";
import { offsetSaboteurs } from "./offsets.ts";
import { readSaboteurs } from "./read.ts";
import { valueSaboteurs } from "./values.ts";

const all = [...readSaboteurs, ...globalSaboteurs, ...valueSaboteurs, ...offsetSaboteurs, ...lifeSaboteurs];

describe("saboteurs of reads, values and life are caught by the clauses they name, and no others", () => {
  test.each(all)("$name: $lie", async ({ harness, caught }) => {
    await expectCaught(harness, caught);
  }, 120_000);
});

import { afterAll, describe, test } from "vitest";
import { appendSaboteurs } from "./append.ts";
import { commitSaboteurs } from "./commits.ts";
import { expectCaught } from "./judge.ts";
import { removePlaces } from "./places.ts";
import { stateSaboteurs } from "./state.ts";

afterAll(removePlaces);

describe("saboteurs of writes are caught by the clauses they name, and no others", () => {
  test.each([...appendSaboteurs, ...stateSaboteurs, ...commitSaboteurs])(
    "$name: $lie",
    async ({ harness, caught }) => {
      await expectCaught(harness, caught);
    },
    120_000,
  );
});

import { describe, test } from "node:test";
import { conformance } from "../src/conformance/conformance.ts";
import type { Runner } from "../src/conformance/harness.ts";
import { memoryHarness } from "./memory-harness.ts";

const runner: Runner = {
  describe: (name, body) => void describe(name, body),
  test: (name, body, timeout) => void test(name, timeout === undefined ? {} : { timeout }, body),
};
conformance(runner, memoryHarness);

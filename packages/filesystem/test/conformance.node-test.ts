import { describe, test } from "node:test";
import { conformance } from "@holdfast/core/conformance";
import harness from "./harness.ts";

conformance(
  { describe, test: (name, body, timeoutMs) => void test(name, { timeout: timeoutMs ?? 30_000 }, body) },
  harness,
);

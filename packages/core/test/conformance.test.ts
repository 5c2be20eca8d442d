import { describe, test } from "vitest";
import { conformance } from "../src/conformance/conformance.ts";
import { memoryHarness } from "./memory-harness.ts";

conformance({ describe, test }, memoryHarness);

import { conformance } from "@holdfast/core/conformance";
import { describe, test } from "vitest";
import harness from "./harness.ts";

conformance({ describe, test }, harness);

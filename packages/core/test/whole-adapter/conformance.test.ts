import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/conformance.ts";
import { mapHarness } from "./harness.ts";

conformance({ describe, test }, mapHarness({ globalOrder: true, transactions: "store" }));
conformance({ describe, test }, mapHarness({ globalOrder: false, transactions: "key" }));

import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/conformance.ts";
import { honestFile } from "./honest.ts";

/** What the saboteurs on files are made of keeps the whole contract: with every hook, other processes and real syncs. */
conformance({ describe, test }, honestFile);

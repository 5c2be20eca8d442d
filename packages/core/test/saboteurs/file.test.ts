import { afterAll, describe, test } from "vitest";
import { conformance } from "../../src/conformance/conformance.ts";
import { honestFile } from "./honest.ts";
import { removePlaces } from "./places.ts";

afterAll(removePlaces);

/** What the saboteurs on files are made of keeps the whole contract: with every hook, other processes and real syncs. */
conformance({ describe, test }, honestFile);

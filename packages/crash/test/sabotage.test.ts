import { join } from "node:path";
import { canTrace } from "@holdfast/test-kit";
import { describe, expect, test } from "vitest";
import { canCutPower, cutPowerApart } from "../src/host.ts";
import type { Sabotage } from "../src/power-cuts.ts";
import { withScratch } from "../src/scratch.ts";
import { skippedSyncs, slowSyncs } from "../src/trace.ts";
import { seed } from "./seed.ts";

/** The same power cuts under stores that don't keep their promise: the loss must be found. */
const isPossible = await canCutPower();
const MAX_CUTS = 15;

interface Case {
  readonly what: string;
  readonly backend: string;
  /** What it breaks, as the judge says it. */
  readonly finds: RegExp;
  sabotage(disk: string): Sabotage;
}

const atNormal: Case = {
  what: "SQLite at NORMAL, whose commits don't wait for the disk",
  backend: "sqlite at NORMAL",
  finds: /W-10.*(acknowledged|a load gave)/,
  sabotage: () => ({ moment: "busy" }),
};

const both = (under: readonly string[]) => ({ writersUnder: under, readersUnder: under });

const cases: readonly Case[] = [
  {
    what: "SQLite without any sync",
    backend: "sqlite",
    finds: /W-10/,
    sabotage: () => ({ moment: "busy", ...both(skippedSyncs()) }),
  },
  {
    what: "files without the sync of their data",
    backend: "filesystem",
    finds: /W-10/,
    sabotage: () => ({ moment: "busy", ...both(skippedSyncs("fdatasync")) }),
  },
  {
    what: "files without the sync of the folders",
    backend: "filesystem",
    finds: /W-10: the store's id is another one/,
    sabotage: (disk) => {
      const store = join(disk, "store");
      const folders = ["", "log", "tmp", "segments", "checkpoints"].map((name) => join(store, name));
      return { moment: "opened", ...both(skippedSyncs("fsync", [disk, ...folders])) };
    },
  },
  {
    what: "files whose readers don't sync what they found, while the writers' disk is slow",
    backend: "filesystem",
    finds: /G-4|A-4|R-10/,
    sabotage: () => ({
      moment: "given",
      writersUnder: slowSyncs(300, "fdatasync"),
      readersUnder: skippedSyncs("fdatasync"),
    }),
  },
];

describe.runIf(isPossible)("a power cut finds the loss in", () => {
  test(atNormal.what, () => mustBeFound(atNormal));
  test.runIf(canTrace()).each(cases)("$what", mustBeFound);
});

async function mustBeFound({ backend, finds, sabotage }: Case): Promise<void> {
  const broken: string[] = [];
  await withScratch("sabotage", async (scratch) => {
    const plan = { backend, cuts: MAX_CUTS, seed, scratch, isTraced: false, stopsAtFirst: true };
    await cutPowerApart({ ...plan, sabotage: sabotage(join(scratch, "disk")) }, (cut) => broken.push(...cut.broken));
  });
  expect(broken.join("\n")).toMatch(finds);
}

import { canTrace } from "@holdfast/test-kit";
import { expect, test } from "vitest";
import { canCutPower, cutPowerApart } from "../src/host.ts";
import type { Cut } from "../src/power-cuts.ts";
import { withScratch } from "../src/scratch.ts";
import { seed } from "./seed.ts";

const CUTS = { sqlite: 20, filesystem: 12, "filesystem-small-files": 8 };

const isPossible = await canCutPower();
const isTraced = canTrace();

test.runIf(isPossible).each(Object.entries(CUTS))(
  `%s: W-10, G-4: what was told survives %i power cuts (seed ${seed})`,
  async (backend, cuts) => {
    const broken: Cut[] = [];
    const sum = await withScratch("cuts", (scratch, keep) =>
      cutPowerApart({ backend, cuts, seed, scratch, isTraced }, (cut) => {
        if (cut.broken.length === 0) return;
        keep();
        broken.push(cut);
      }),
    );
    expect(broken).toEqual([]);
    expect(sum.cuts).toBe(cuts);
    expect(sum.acknowledged, "acknowledged before a cut").toBeGreaterThan(cuts * 3);
    expect(sum.underWay, "under way when a cut came").toBeGreaterThan(cuts);
    expect(sum.conflicts).toBeGreaterThan(0);
    expect(sum.messagesRead, "given to readers before a cut").toBeGreaterThan(cuts * 3);
  },
);

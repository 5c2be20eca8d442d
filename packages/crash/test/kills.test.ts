import { canTrace } from "@holdfast/test-kit";
import { expect, test } from "vitest";
import { killWriters, type Round } from "../src/kills.ts";
import { withScratch } from "../src/scratch.ts";
import { seed } from "./seed.ts";

const KILLS = { sqlite: 80, filesystem: 70, "filesystem-small-files": 50 };
/** Of the system calls every third is tried, from another one on each time: `pnpm crash` tries them all. */
const STRIDE = 3;

const isTraced = canTrace();

test.each(Object.entries(KILLS))(
  `%s: W-10: what was acknowledged survives %i kills (seed ${seed})`,
  async (backend, kills) => {
    const broken: Round[] = [];
    const sum = await withScratch("kills", (scratch, keep) =>
      killWriters({ backend, kills, seed, scratch, isTraced, stride: STRIDE }, (round) => {
        if (round.broken.length === 0) return;
        keep();
        broken.push(round);
      }),
    );
    expect(broken).toEqual([]);
    expect(sum.kills).toBeGreaterThanOrEqual(kills);
    expect(sum.acknowledged).toBeGreaterThan(kills * 3);
    expect(sum.underWay, "under way when a kill came").toBeGreaterThan(kills / 3);
    const { random = 0, ...atCalls } = sum.killsAt;
    expect(random, "at a random moment").toBeGreaterThan(0);
    if (!isTraced) return;
    // Which of the rarer calls a short run meets is chance.
    const counts = Object.values(atCalls);
    expect(counts.length, "kinds of system calls").toBeGreaterThanOrEqual(3);
    expect(
      counts.reduce((total, count) => total + count, 0),
      "at a system call",
    ).toBeGreaterThan(kills / 4);
  },
);

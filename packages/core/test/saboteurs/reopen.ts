import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readLine } from "./lines.ts";
import { overriding } from "./overriding.ts";
import type { Tricks } from "./places.ts";

/** Cuts the last commits off a file that is not damaged, and what a kill left torn. Its header stays. */
function dropLast(place: string, count: number): void {
  const lines = readFileSync(place, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const kinds = lines.map((line) => readLine(Buffer.from(line)).kind);
  if (kinds.includes("damaged")) return;
  const whole = lines.filter((_, index) => kinds[index] === "whole");
  writeFileSync(place, `${whole.slice(0, Math.max(1, whole.length - count)).join("\n")}\n`);
}

/** Whoever has the place open leaves a mark beside it; who is killed leaves it for good. */
export function recoveryDropsTheTail(): Tricks {
  let opened = 0;
  return {
    beforeOpen: (place) => {
      const marks = readdirSync(dirname(place)).filter((name) => name.startsWith(`${basename(place)}.open-`));
      const dead = marks.filter((mark) => !isAlive(Number(mark.split("-")[1])));
      if (dead.length > 0 && dead.length === marks.length) dropLast(place, 20);
      for (const mark of dead) rmSync(join(dirname(place), mark));
    },
    driver: (honest, place) => {
      opened += 1;
      const mark = `${place}.open-${process.pid}-${opened}`;
      writeFileSync(mark, "");
      return overriding(honest, {
        close: async () => {
          rmSync(mark, { force: true });
          await honest.close();
        },
      });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function reopeningDropsTheLast(): Tricks {
  const open = new Map<string, number>();
  const known = new Set<string>();
  return {
    beforeOpen: (place) => {
      if (known.has(place) && (open.get(place) ?? 0) === 0) dropLast(place, 1);
      known.add(place);
    },
    driver: (honest, place) => {
      open.set(place, (open.get(place) ?? 0) + 1);
      return overriding(honest, {
        close: async () => {
          open.set(place, (open.get(place) ?? 1) - 1);
          await honest.close();
        },
      });
    },
  };
}

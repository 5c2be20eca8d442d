import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { benchChecker } from "./checker.ts";
import { benchEngine } from "./engine.ts";
import { benchFilesystem } from "./filesystem.ts";
import { describeMachine, scratchFolder } from "./machine.ts";
import { benchSqlite } from "./sqlite.ts";

const PARTS: Readonly<Record<string, (folder: string) => Promise<void> | void>> = {
  sqlite: benchSqlite,
  filesystem: benchFilesystem,
  engine: benchEngine,
  checker: benchChecker,
};

const asked = process.argv.slice(2);
const wrong = asked.find((name) => !(name in PARTS));
if (wrong !== undefined) throw new Error(`no part is called ${wrong}: ${Object.keys(PARTS).join(", ")}`);

const folder = scratchFolder();
try {
  console.log(describeMachine());
  console.log("Medians over rounds that are interleaved (range); the ratio is the median of the rounds' ratios.");
  for (const [name, bench] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const place = join(folder, name);
    mkdirSync(place);
    await bench(place);
    rmSync(place, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

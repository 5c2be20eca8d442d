import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runSeeds } from "../simulation/pool.ts";
import { engineMutants } from "./engine-mutants.ts";
import { mergeMutants } from "./merge-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { slotMutants } from "./slot-mutants.ts";

const core = fileURLToPath(new URL("../..", import.meta.url));
const mutants = [...engineMutants, ...mergeMutants, ...slotMutants];
const OPERATIONS = 200;
/** Of those that live longest all are dead after a quarter of them. */
const SEEDS = 400;
const LANES = 2;
/** Always the same ones, so that a mutant is killed today if it was yesterday. HOLDFAST_SEED says where others begin. */
const from = Number(process.env["HOLDFAST_SEED"] ?? 1);

const temporary: string[] = [];
afterAll(() => {
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
});

/** A copy of the sources and of the simulation, to be mutated. */
function copy(): string {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
  temporary.push(directory);
  cpSync(join(core, "src"), join(directory, "src"), { recursive: true });
  cpSync(join(core, "test/simulation"), join(directory, "test/simulation"), { recursive: true });
  cpSync(join(core, "package.json"), join(directory, "package.json"));
  return directory;
}

/** What became of a mutant: the seed that killed it and what it found, or undefined. */
async function judge(directory: string, mutant: Mutant): Promise<string | undefined> {
  const { file, find, replace } = mutant;
  const path = join(directory, "src", file);
  const source = readFileSync(path, "utf8");
  if (source.split(find).length !== 2) throw new Error(`"${mutant.name}" does not apply: ${find} in ${file}`);
  writeFileSync(path, source.split(find).join(replace));
  const { failures } = await runSeeds({
    kind: mutant.found,
    from,
    seeds: mutant.found === "fairness" ? 2 : SEEDS,
    operations: OPERATIONS,
    workers: 1,
    stopAtFailure: true,
    worker: join(directory, "test/simulation/worker.ts"),
  });
  writeFileSync(path, source);
  const [failure] = failures;
  if (failure?.crashed) throw new Error(`"${mutant.name}" is no program any more: ${failure.violations}`);
  return failure && `seed ${failure.seed}: ${failure.violations[0]?.split("\n")[0]}`;
}

describe("mutants of the engine", () => {
  test("each applies, and has a name of its own", () => {
    for (const { name, file, find } of mutants) {
      const found = readFileSync(join(core, "src", file), "utf8").split(find).length - 1;
      expect(found, `places in ${file} for "${name}"`).toBe(1);
    }
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test(`each is killed by seeds from ${from} on`, async () => {
    const only = process.env["HOLDFAST_MUTANT"] ?? "";
    const waiting = mutants.filter(({ name }) => name.includes(only));
    const survivors: string[] = [];
    const lane = async () => {
      const directory = copy();
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const started = performance.now();
        const killed = await judge(directory, mutant);
        const seconds = ((performance.now() - started) / 1_000).toFixed(1);
        console.log(
          `${killed === undefined ? "SURVIVED" : "killed"} in ${seconds} s: ${mutant.name} (${mutant.breaks}) ${killed}`,
        );
        if (killed === undefined) survivors.push(mutant.name);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(survivors).toEqual([]);
  }, 300_000);
});

import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { clauses } from "@holdfast/core/conformance";
import { expect, test } from "vitest";
import { codeBlocks, pages } from "../src/markdown.ts";
import { Outside } from "../src/outside.ts";
import { type Output, pnpm } from "../src/programs.ts";
import { root } from "../src/workspace.ts";

const folder = "packages/linked-files";
const blocks = pages()
  .filter(({ file }) => file === "docs/adding-an-adapter.md")
  .flatMap(codeBlocks);

/** A workspace that has core, the tools, and no adapter. */
function emptyWorkspace(): Outside {
  const workspace = new Outside();
  const script = `node --experimental-strip-types ${join(root, "tools/checks/bin/new-adapter.ts")}`;
  workspace.write("package.json", { private: true, type: "module", scripts: { "new:adapter": script } });
  workspace.write("pnpm-workspace.yaml", "packages:\n  - packages/*\nverifyDepsBeforeRun: false\n");
  cpSync(join(root, "tsconfig.base.json"), join(workspace.path, "tsconfig.base.json"));
  for (const empty of ["tmp", "node_modules/@holdfast"]) mkdirSync(join(workspace.path, empty), { recursive: true });
  const lent = { "@holdfast/core": "packages/core", "@types": "node_modules/@types", vitest: "node_modules/vitest" };
  for (const [name, path] of Object.entries(lent)) {
    symlinkSync(join(root, path), join(workspace.path, "node_modules", name), "dir");
  }
  return workspace;
}

/** Runs the commands of one block. */
async function runCommands(workspace: Outside, code: string, mayFail: boolean): Promise<Output> {
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  // A third of the random histories: they are the suite's own proof, and slow on a store that merges nothing.
  const env = { PATH: path, HOLDFAST_HISTORIES: "100", TMPDIR: join(workspace.path, "tmp") };
  const [line = "", ...more] = code.trim().split("\n");
  const [program, ...args] = line.split(" ");
  expect({ program, more }, "a block has one command, for pnpm").toEqual({ program: "pnpm", more: [] });
  return pnpm(args, { cwd: workspace.path, env, mayFail, timeoutMs: 280_000 });
}

/** What the suite's account says of clauses: how many ran, how many checks failed, and which clauses are not met. */
function accountOf({ stdout }: Output) {
  const [, ran, failed] = stdout.match(/linked-files: (\d+) of \d+ clauses ran, \d+ checks, (\d+) failed/) ?? [];
  const [, unmet = ""] = stdout.match(/^ +not met: (.*)$/m) ?? [];
  return { ran: Number(ran), failed: Number(failed), unmet: unmet.split(", ").filter((id) => id !== "") };
}

test("its blocks, run one after the other, lead from nothing to an adapter that meets the contract", async () => {
  using workspace = emptyWorkspace();
  const outputs: Output[] = [];
  for (const { info, code, line } of blocks) {
    if (info.startsWith("sh")) {
      const output = await runCommands(workspace, code, true);
      const said = `line ${line}\n${output.stdout}\n${output.stderr}`;
      expect(output.status === 0, said).toBe(info !== "sh fails");
      outputs.push(output);
      continue;
    }
    const [first = "", ...rest] = code.split("\n");
    const [, path] = first.match(/^\/\/ (.+)$/) ?? [];
    expect(path, `line ${line}: a block of code begins with its file's path`).toBeDefined();
    const text = rest.join("\n");
    if (info === "ts made") expect(text, `${path}, as new:adapter makes it`).toBe(workspace.read(`${folder}/${path}`));
    else workspace.write(`${folder}/${path}`, text);
  }
  const [, , red, green] = outputs;
  expect(workspace.read(`${folder}/dist/index.d.ts`), "the skeleton was built").toContain("LinkedFilesDataStore");

  const before = accountOf(red as Output);
  const asked = clauses.filter(({ checks }) => checks.some(({ hook }) => hook === undefined)).map(({ id }) => id);
  expect(before.unmet.length, "nearly every clause is named").toBeGreaterThan(asked.length - 10);
  expect(before.failed).toBeGreaterThanOrEqual(before.unmet.length);

  expect(accountOf(green as Output)).toEqual({ ran: clauses.length - 1, failed: 0, unmet: [] });
  const unproved = green?.stdout.match(/unproved, as the harness has no (\S+): (.*)/)?.slice(1);
  expect(unproved, "as the page says").toEqual(["faults.openIncapable", "L-2"]);
}, 600_000);

test("there is a way there at all", () => {
  expect(blocks.map(({ info }) => info)).toEqual(["sh", "sh", "sh fails", "ts made", "ts", "ts", "sh"]);
});

test("new:adapter refuses a name that is taken, or none", async () => {
  using workspace = emptyWorkspace();
  for (const [name, why] of [
    ["../escape", "lowercase"],
    ["Upper", "lowercase"],
    ["taken", "there already"],
  ] as const) {
    workspace.write("packages/taken/package.json", { name: "taken" });
    const { status, stderr } = await runCommands(workspace, `pnpm new:adapter ${name}`, true);
    expect({ name, status, told: stderr.includes(why) }).toEqual({ name, status: 1, told: true });
  }
});

import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { clauses } from "@holdfast/core/conformance";
import { describe, expect, inject, test } from "vitest";
import { codeBlocks, pages } from "../src/markdown.ts";
import { Outside } from "../src/outside.ts";
import { tool } from "../src/programs.ts";
import { adapters, root } from "../src/workspace.ts";

const tarballs = inject("tarballs");
const core = `file:${tarballs["@holdfast/core"]}`;

/** All that comes with each adapter: its own client, and no other's. */
const trees: Readonly<Record<string, readonly string[]>> = {
  "@holdfast/filesystem": ["@holdfast/core", "@holdfast/filesystem"],
  "@holdfast/sqlite": ["@holdfast/core", "@holdfast/sqlite", "better-sqlite3", "node-addon-api"],
};

/** The first lines of code that a newcomer reads. */
const quickStart = pages()
  .filter(({ file }) => file === "README.md")
  .flatMap(codeBlocks)
  .find(({ info }) => info === "ts run");

/** A project that declares the adapter alone. Core comes as its peer; it is not published yet, so an override says where it is. */
function projectWith(adapter: string): Outside {
  const project = new Outside();
  const dependencies = { [adapter]: `file:${tarballs[adapter]}` };
  project.write("package.json", { private: true, type: "module", dependencies, overrides: { "@holdfast/core": core } });
  project.write("pnpm-workspace.yaml", `overrides:\n  "@holdfast/core": "${core}"\n`);
  project.write("quick-start.ts", quickStart?.code ?? "");
  return project;
}

describe.concurrent.each(adapters())("$manifest.name, installed from its tarball", ({ manifest }) => {
  const { name } = manifest;

  test("by npm: brings its own client and no other, needs no install script, and its user imports it alone", async () => {
    using project = projectWith(name);
    const installed = await project.npmInstall();
    expect(Object.keys(installed).sort(), "the whole dependency tree").toEqual(trees[name]);
    if (name === "@holdfast/sqlite") await project.node(["quick-start.ts"]);
    const { stdout } = await project.node([
      "--input-type=commonjs",
      "-e",
      `console.log(Object.keys(require("${name}")).length)`,
    ]);
    expect(Number(stdout), "CommonJS can require() it").toBeGreaterThan(10);
  });

  test("by pnpm, in its strict layout: the same", async () => {
    using project = projectWith(name);
    await project.pnpmInstall();
    const top = readdirSync(join(project.path, "node_modules/@holdfast"));
    expect(top, "only what the project declares can be imported by it").toEqual([name.replace("@holdfast/", "")]);
    if (name === "@holdfast/sqlite") await project.node(["quick-start.ts"]);
  });

  test("gives every public name of core", async () => {
    const [own, ofCore] = await Promise.all([import(name), import("@holdfast/core")]);
    expect(Object.keys(own)).toEqual(expect.arrayContaining(Object.keys(ofCore)));
    for (const [each, value] of Object.entries(ofCore)) expect(own[each], each).toBe(value);
  });
});

test("README's first block of code imports an adapter alone, in at most twenty lines", () => {
  expect(quickStart, "the first block of README.md marked `ts run`").toBeDefined();
  const imported = [...(quickStart?.code ?? "").matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier);
  expect(imported).toEqual(["@holdfast/sqlite"]);
  expect(quickStart?.code.trim().split("\n").length).toBeLessThanOrEqual(20);
});

describe("an adapter written outside the workspace", () => {
  test("installs core from its tarball by npm, compiles, and passes the contract under node:test", async () => {
    using project = new Outside();
    cpSync(join(root, "tools/checks/fixtures/third-party-adapter"), project.path, { recursive: true });
    const installed = await project.npmInstall(tarballs["@holdfast/core"] ?? "");
    expect(
      Object.keys(installed)
        .filter((name) => !/^(@types\/|undici-types$)/.test(name))
        .sort(),
    ).toEqual(["@holdfast/core", "fast-check", "pure-rand"]);
    expect(existsSync(join(project.path, "node_modules/@holdfast/core/dist/conformance/index.js"))).toBe(true);
    await tool("tsc", ["-p", project.path, "--pretty", "false"], { cwd: project.path });

    const ownTests = ["--test-reporter=spec", "test/conformance.test.ts"];
    const { status, stdout, stderr } = await project.node(ownTests, { mayFail: true });
    expect(status, `${stdout}${stderr}`).toBe(0);
    const [, ran, all, checks] = stdout.match(/third-party: (\d+) of (\d+) clauses ran, (\d+) checks, 0 failed/) ?? [];
    expect(Number(all)).toBe(clauses.length);
    const askable = clauses.filter((clause) => clause.checks.some(applies));
    expect(Number(ran), stdout).toBe(askable.length);
    expect(Number(checks)).toBe(clauses.flatMap((clause) => clause.checks.filter(applies)).length);
    expect(askable.length).toBeGreaterThan(40);
  });
});

/** Whether a check applies to the fixture: keys apart, no global order, nothing durable, and the hooks that the SPI gives. */
function applies({ needs, hook }: (typeof clauses)[number]["checks"][number]): boolean {
  const had = { globalOrder: false, transactions: "key", durable: false };
  const asked = Object.entries(needs).every(([power, wanted]) => had[power as keyof typeof had] === wanted);
  return asked && (hook === undefined || hook === "loseReplies" || hook === "failSync");
}

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, test } from "vitest";
import { tool } from "../src/programs.ts";
import { filesOf } from "../src/tarball.ts";
import { type Manifest, packagesIn, publicPackages, root } from "../src/workspace.ts";

const tarballs = inject("tarballs");

describe.each(publicPackages())("$manifest.name", ({ manifest }) => {
  const tarball = tarballs[manifest.name] ?? "";

  test("says what it is", () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/\w.{20,}/),
      license: "Apache-2.0",
      type: "module",
      sideEffects: false,
      engines: { node: expect.stringMatching(/^>=22\.1[24]$/) },
      publishConfig: { access: "public" },
    });
    expect(manifest.keywords?.length, "keywords").toBeGreaterThan(3);
  });

  test("has tests that report", () => {
    expect(manifest.scripts?.test).toMatch(/\breports\/[\w.-]+/);
  });

  test("packs its sources, what is built of them, README and LICENSE, and nothing else", async () => {
    const files = await filesOf(tarball);
    expect(files).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE"]));
    const strange = files.filter(
      (file) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|(dist|src)\/.*)$/.test(file),
    );
    expect(strange).toEqual([]);
    const orphans = files.filter((file) => {
      const source = file.match(/^dist\/(.*?)(\.d\.ts|\.js)(\.map)?$/)?.[1];
      return file.startsWith("dist/") && (source === undefined || !files.includes(`src/${source}.ts`));
    });
    expect(orphans, "left from a source that is gone: remove dist/ and build again").toEqual([]);
  });

  test("publint finds nothing, strictly", async () => {
    const bytes = Uint8Array.from(readFileSync(tarball));
    const { messages } = await publint({ strict: true, pack: { tarball: bytes.buffer } });
    expect(messages.map((message) => `${message.type}: ${formatMessage(message, manifest, { color: false })}`)).toEqual(
      [],
    );
  });

  test("attw finds its types right for ESM", async () => {
    const checked = await tool("attw", [tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"], {
      cwd: root,
      mayFail: true,
    });
    expect(checked.status, `${checked.stdout}${checked.stderr}`).toBe(0);
  });
});

describe("workspace", () => {
  test("knip finds no unused file, export or dependency, and none unlisted", async () => {
    const { status, stdout, stderr } = await tool("knip", ["--no-progress", "--no-config-hints"], {
      cwd: root,
      mayFail: true,
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  test("sherif finds package.json files that agree", async () => {
    const { status, stdout, stderr } = await tool("sherif", [], { cwd: root, mayFail: true });
    expect(status, `${stdout}${stderr}\nmostly mended by: pnpm --filter @holdfast/checks exec sherif --fix`).toBe(0);
  });

  test.runIf(process.platform === "linux")("scripts and what they start run on the Node of the lockfile", () => {
    const top = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    const pinned = top.optionalDependencies?.[`node-linux-${process.arch}`];
    expect(process.version, "this process").toBe(`v${pinned}`);
    expect(execFileSync("node", ["--version"], { encoding: "utf8" }).trim(), "`node` in PATH").toBe(`v${pinned}`);
  });

  test("tools are pinned", () => {
    const top = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    const all = [
      { name: top.name, dev: top.devDependencies ?? {} },
      ...["packages", "examples", "tools"].flatMap((area) =>
        packagesIn(area).map(({ manifest }) => ({ name: manifest.name, dev: manifest.devDependencies ?? {} })),
      ),
    ];
    const loose = all.flatMap(({ name, dev }) =>
      Object.entries(dev)
        .filter(([, version]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|workspace:\*)$/.test(version))
        .map(([dependency, version]) => `${name}: ${dependency} ${version}`),
    );
    expect(loose, "devDependencies are exact versions, or workspace:*").toEqual([]);
  });
});

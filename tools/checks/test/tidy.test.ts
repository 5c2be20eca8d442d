import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { findInFiles, projectFiles } from "../src/files.ts";
import { tool } from "../src/programs.ts";
import { packagesIn, root } from "../src/workspace.ts";

const files = projectFiles();
// The lockfile and generated changelogs are not ours to word.
const written = files.filter((file) => !/(^|\/)(pnpm-lock\.yaml|CHANGELOG\.md|LICENSE)$/.test(file));

describe("files", () => {
  test("biome: formatted, imports in order, no function over 70 lines and no file over 250 in src, no `any`", async () => {
    const args = ["ci", ".", "--error-on-warnings", "--diagnostic-level=warn", "--max-diagnostics=50", "--colors=off"];
    const { status, stdout, stderr } = await tool("biome", args, { cwd: root, mayFail: true });
    expect(status, `${stdout}${stderr}\nmostly mended by: pnpm format`).toBe(0);
  });

  test("nothing is left to be done later", () => {
    expect(findInFiles(/\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/, written), "do it, or open an issue").toEqual([]);
  });

  test("no test is skipped, alone, or yet to be written", () => {
    const tests = written.filter((file) => /\/test\/.*\.ts$/.test(file));
    expect(findInFiles(/\b(?:it|test|describe)\.(?:skip|only|todo|fails)\b/, tests)).toEqual([]);
  });

  test("no rule is switched off without a reason", () => {
    const switched = findInFiles(/(?:@ts-(?:ignore|nocheck|expect-error)|biome-ignore)\b/, written);
    const own = switched.filter((place) => !place.startsWith("tools/checks/test/tidy.test.ts:"));
    expect(own.filter((place) => !/(?:@ts-expect-error:?|biome-ignore [\w/]+:) +\S.{4,}/.test(place))).toEqual([]);
  });

  test("links lead to hosts that are known", () => {
    const hosts =
      "github\\.com|json\\.schemastore\\.org|www\\.apache\\.org|www\\.sqlite\\.org|sqlite\\.org|www\\.w3\\.org|nodejs\\.org|www\\.rfc-editor\\.org|api-extractor\\.com|127\\.0\\.0\\.1|localhost|example\\.(?:com|org)";
    const strange = new RegExp(`https?://(?!(?:${hosts})(?:[/:"')\\s\`#]|$))`);
    expect(findInFiles(strange, written), "name no package registry's host; add a host that readers need here").toEqual(
      [],
    );
  });

  test("no path of one machine stands in them", () => {
    expect(findInFiles(/(?<![\w.@~-])\/(?:work|root|home|Users)\/\w/, written)).toEqual([]);
  });
});

describe("types", () => {
  const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));

  const all = ["packages", "examples", "tools"].flatMap(packagesIn);

  test("every TypeScript file is checked by a tsconfig.json that `build`, `test` or `types` runs", () => {
    const projects = all.flatMap(({ path, manifest }) =>
      ["build", "test", "types"].flatMap((script) =>
        [...(manifest.scripts?.[script] ?? "").matchAll(/\btsc -p (\S+)/g)].map(([, project = "."]) =>
          configPath(join(path, project)),
        ),
      ),
    );
    const checked = new Set(projects.flatMap(filesOfProject));
    expect(sources.filter((file) => !checked.has(file) && !/(^|\/)vitest\.config\.ts$/.test(file))).toEqual([]);
  });

  const untested = all.filter(({ manifest }) => manifest.scripts?.types !== undefined);
  test.each(untested)("$manifest.name, which has no tests of its own, compiles", async ({ path }) => {
    const { status, stdout } = await tool("tsc", ["-p", path, "--pretty", "false"], { cwd: path, mayFail: true });
    expect(status, stdout).toBe(0);
  });
});

function configPath(project: string): string {
  return project.endsWith(".json") ? project : join(project, "tsconfig.json");
}

function filesOfProject(path: string): readonly string[] {
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile);
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  const { fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path));
  return fileNames.map((file) => relative(root, file).replaceAll("\\", "/"));
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { contractDoc, contractDocPath } from "../src/contract-doc.ts";
import { brokenLinks, codeBlocks, pages } from "../src/markdown.ts";
import { runSnippet, typeErrors } from "../src/snippets.ts";
import { root } from "../src/workspace.ts";

const all = pages();
const typescript = all.flatMap(codeBlocks).filter(({ info }) => /^(ts|typescript)\b/.test(info));
const runnable = typescript.filter(({ info }) => /\brun\b/.test(info));

describe("pages", () => {
  test.each(all)("$file: every relative link leads somewhere", (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test("broken links would be found", () => {
    const page = {
      file: "docs/x.md",
      text: "[a](nowhere.md) [b](#none) `[c](code.md)` [d](../README.md)\n# Here\n[e](#here)",
    };
    expect(brokenLinks(page).map((each) => each.split(":")[2]?.trim())).toEqual(["nowhere.md", "#none"]);
  });
});

describe("code", () => {
  test("every TypeScript block compiles against the built packages", () => {
    expect(typeErrors(typescript)).toEqual([]);
  });

  test("a wrong block would be found, at its line", () => {
    const code =
      'import { MemoryDataStore } from "@holdfast/core";\nconst store: string = await MemoryDataStore.open();\n';
    expect(typeErrors([{ file: "docs/x.md", line: 10, info: "ts", code }])).toEqual([
      expect.stringMatching(/^docs\/x\.md:11: Type '.*' is not assignable to type 'string'/),
    ]);
  });

  test.each(runnable)("$file:$line runs", async (block) => {
    const { status, stdout, stderr } = await runSnippet(block);
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
  });

  test("README's first lines of code are among them", () => {
    expect(runnable.map(({ file }) => file)).toContain("README.md");
  });
});

describe("docs/contract.md", () => {
  test("is what the clauses say", () => {
    expect(readFileSync(contractDocPath, "utf8"), "run `pnpm docs:update` and commit the result").toBe(contractDoc());
  });

  test("README names both commands", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    expect(readme).toContain("npx --yes pnpm@12 demo");
    expect(readme).toContain("npx --yes pnpm@12 test");
  });
});

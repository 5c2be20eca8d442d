import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import type { CodeBlock } from "./markdown.ts";
import { type Output, run } from "./programs.ts";
import { root } from "./workspace.ts";

/** The snippets stand as if they were modules here, where every package of the workspace can be imported. */
const here = join(root, "tools/checks/snippets");

/** Checks all the snippets in one go, against the built packages; each problem as "file:line: message". */
export function typeErrors(blocks: readonly CodeBlock[]): readonly string[] {
  const byPath = new Map(blocks.map((block, index) => [pathOf(block, index), block]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.directoryExists = (path) => path.startsWith(here) || ts.sys.directoryExists(path);
  host.fileExists = (path) => byPath.has(path) || fileExists(path);
  host.readFile = (path) => codeOf(byPath.get(path)) ?? readFile(path);
  host.getSourceFile = (path, languageVersion) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion);
  };
  const program = ts.createProgram([...byPath.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, "\n  ");
    const block = file && byPath.get(file.fileName);
    if (file === undefined || block === undefined) return `${file?.fileName ?? "options"}: ${message}`;
    return `${block.file}:${block.line + file.getLineAndCharacterOfPosition(start).line}: ${message}`;
  });
}

/** Runs a snippet by Node in an empty folder of its own, where it may write. */
export async function runSnippet(block: CodeBlock): Promise<Output> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-snippet-"));
  try {
    symlinkSync(join(root, "tools/checks/node_modules"), join(folder, "node_modules"), "dir");
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "snippet.ts"), block.code);
    return await run(process.execPath, ["--experimental-strip-types", "snippet.ts"], { cwd: folder, mayFail: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The blocks of one page stand in one folder, and one that begins with `// folder/name.ts` is imported by the others by that name. */
function pathOf({ file, code }: CodeBlock, index: number): string {
  const [, name = `block-${index}.ts`] = code.match(/^\/\/ ([\w./-]+\.ts)\b/) ?? [];
  return join(here, file.replaceAll(/\W/g, "-"), name);
}

/** Always a module, even where it imports nothing. */
function codeOf(block: CodeBlock | undefined): string | undefined {
  return block && `${block.code}\nexport {};\n`;
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(root, "tsconfig.base.json");
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, "tools/checks"));
  // A snippet shows one thing: a name that it leaves unused is no mistake.
  const emitting = { noEmit: true, declaration: false, declarationMap: false };
  return { ...options, ...emitting, noUnusedLocals: false, noUnusedParameters: false };
}

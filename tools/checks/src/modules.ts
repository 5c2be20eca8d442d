import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { root } from "./workspace.ts";

interface Import {
  readonly specifier: string;
  /** `import type` or `export type`: erased, so that it loads nothing. (`import { type A }` still loads the module.) */
  readonly typeOnly: boolean;
}

/** One TypeScript file, parsed but not checked. */
export interface Module {
  /** From the repository's top. */
  readonly file: string;
  readonly source: ts.SourceFile;
  readonly imports: readonly Import[];
}

/** Every TypeScript module under a folder of the repository. */
export function modulesIn(folder: string): readonly Module[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.split(/[\\/]/).includes("node_modules"))
    .sort()
    .map((name) => parse(join(folder, name)));
}

/** The file that a relative import names, from the repository's top. */
function target(module: Module, specifier: string): string {
  return join(dirname(module.file), specifier);
}

/** Every cycle of modules that load each other, as the path around it. Type-only imports load nothing. */
export function cycles(modules: readonly Module[]): readonly string[] {
  const byFile = new Map(modules.map((module) => [module.file, module]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (module: Module, path: readonly string[]) => {
    const start = path.indexOf(module.file);
    if (start >= 0) {
      found.push([...path.slice(start), module.file].join(" -> "));
      return;
    }
    if (done.has(module.file)) return;
    for (const { specifier, typeOnly } of module.imports) {
      const next = typeOnly || !specifier.startsWith(".") ? undefined : byFile.get(target(module, specifier));
      if (next !== undefined) visit(next, [...path, module.file]);
    }
    done.add(module.file);
  };
  for (const module of modules) visit(module, []);
  return found;
}

/** How often each of the classes is constructed with `new`, as "file:line" by class. */
export function constructions(modules: readonly Module[], classes: ReadonlySet<string>): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const { file, source } of modules) {
    const visit = (node: ts.Node) => {
      if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && classes.has(node.expression.text)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        const name = node.expression.text;
        places.set(name, [...(places.get(name) ?? []), `${file}:${line + 1}`]);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return places;
}

function parse(path: string): Module {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({
        specifier: node.moduleSpecifier.text,
        typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
      });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) imports.push({ specifier: argument.text, typeOnly: false });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push({ specifier: node.argument.literal.getText(source).slice(1, -1), typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { file: relative(root, path).replaceAll("\\", "/"), source, imports };
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packagesIn, root } from "./workspace.ts";

/** One Markdown file of the project. */
export interface Page {
  /** From the repository's top. */
  readonly file: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly file: string;
  /** Where its first line of code stands, from 1. */
  readonly line: number;
  /** What follows the fence's backticks, e.g. "ts run". */
  readonly info: string;
  readonly code: string;
}

/** Everything that users read: the top pages, docs/, and each README and page of a package or an example. */
export function pages(): readonly Page[] {
  const folders = ["packages", "examples"].flatMap((area) => packagesIn(area).map(({ path }) => path));
  const found = [
    ...markdownIn(root),
    ...markdownIn(join(root, "docs"), true),
    ...folders.flatMap((each) => markdownIn(each)),
  ];
  return found.map((path) => ({
    file: relative(root, path).replaceAll("\\", "/"),
    text: readFileSync(path, "utf8").replaceAll("\r\n", "\n"),
  }));
}

export function codeBlocks({ file, text }: Page): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (const match of text.matchAll(/^( *)(```+)([^\n`]*)\n([\s\S]*?)^ *\2 *$/gm)) {
    const [, indent = "", , info = "", code = ""] = match;
    const line = text.slice(0, match.index).split("\n").length + 1;
    blocks.push({ file, line, info: info.trim(), code: code.replaceAll(new RegExp(`^${indent}`, "gm"), "") });
  }
  return blocks;
}

/** Each broken relative link of a page, as "file:line: link: why". */
export function brokenLinks(page: Page): readonly string[] {
  const prose = withoutCode(page.text);
  const links = [
    ...prose.matchAll(/\]\(<?([^)<>\s]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)|(?:src|href)="([^"]+)"/gm),
  ];
  return links.flatMap((match) => {
    const link = match[1] ?? match[2] ?? match[3] ?? "";
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return [];
    const why = problemWith(page, link);
    const line = prose.slice(0, match.index).split("\n").length;
    return why === undefined ? [] : [`${page.file}:${line}: ${link}: ${why}`];
  });
}

function problemWith(page: Page, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target = join(root, dirname(page.file), decodeURIComponent(path));
  if (relative(root, target).startsWith("..")) return "it leaves the repository";
  if (path !== "" && !existsSync(target)) return "there is no such file";
  if (anchor === undefined || (path !== "" && !target.endsWith(".md"))) return undefined;
  const known = anchors(path === "" ? page.text : readFileSync(target, "utf8"));
  if (known.has(decodeURIComponent(anchor))) return undefined;
  return `there is no such heading in it (it has ${[...known].join(", ")})`;
}

/** The anchors of a page: its headings as GitHub writes them, and the ids given by hand. */
function anchors(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ""] of withoutCode(text, "`").matchAll(/^#{1,6} +(.*?) *#* *$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/<[^>]*>/g, "");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let count = 1; found.has(name); count += 1) name = `${slug}-${count}`;
    found.add(name);
  }
  for (const [, id = ""] of text.matchAll(/<[a-z]+ (?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** The same length and lines, with code blanked out; inline code only if its fence is not to be `kept`. */
function withoutCode(text: string, kept = ""): string {
  const blank = (code: string) => code.replaceAll(/[^\n]/g, " ");
  const fenced = text.replaceAll("\r\n", "\n").replaceAll(/^ *(```+)[^\n`]*\n[\s\S]*?^ *\1 *$/gm, blank);
  return kept === "`" ? fenced : fenced.replaceAll(/(`+)(?:(?!\1)[^\n])+\1/g, blank);
}

function markdownIn(folder: string, recursive = false): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !/(^|[\\/])(node_modules|CHANGELOG\.md)/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

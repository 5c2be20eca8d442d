import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bump } from "./changesets.ts";
import { tool } from "./programs.ts";
import { type Manifest, publicPackages, root } from "./workspace.ts";

export interface Rehearsal {
  /** The version that every package starts from; as it stands in the repository, if absent. */
  readonly from?: string;
  /** One changeset for each. Without any, those that wait in the repository. */
  readonly changesets: Readonly<Record<string, Bump>>;
}

/** What a package became. */
export interface Released {
  readonly version: string;
  /** What its changelog says of the new version; undefined where it was not released. */
  readonly changelog: string | undefined;
}

/** Runs `changeset version` on a copy of the repository; gives what each public package became, by its folder. */
export async function rehearse({ from, changesets }: Rehearsal): Promise<Readonly<Record<string, Released>>> {
  const copy = mkdtempSync(join(tmpdir(), "holdfast-rehearsal-"));
  try {
    copyRepository(copy);
    if (from !== undefined) setVersions(copy, from);
    if (Object.keys(changesets).length > 0) replaceChangesets(copy, changesets);
    execFileSync("git", ["init", "--quiet"], { cwd: copy });
    await tool("changeset", ["version"], { cwd: copy });
    return Object.fromEntries(publicPackages().map(({ folder }) => [folder, released(join(copy, "packages", folder))]));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What git tracks, and what it would: no node_modules, no dist. The tools are lent by a link. */
function copyRepository(copy: string): void {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    { cwd: root },
  );
  for (const file of listed.toString("utf8").split("\0")) {
    if (file !== "") cpSync(join(root, file), join(copy, file), { force: true, recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
}

function setVersions(copy: string, version: string): void {
  for (const { folder } of publicPackages()) {
    const path = join(copy, "packages", folder);
    writeFileSync(join(path, "package.json"), JSON.stringify({ ...manifestAt(path), version }, undefined, 2));
    rmSync(join(path, "CHANGELOG.md"), { force: true });
  }
}

function replaceChangesets(copy: string, changesets: Rehearsal["changesets"]): void {
  const folder = join(copy, ".changeset");
  for (const file of readdirSync(folder)) {
    if (file.endsWith(".md") && file !== "README.md") rmSync(join(folder, file));
  }
  for (const [index, [name, bump]] of Object.entries(changesets).entries()) {
    writeFileSync(
      join(folder, `rehearsed-${index}.md`),
      `---\n"${name}": ${bump}\n---\n\nA rehearsed ${bump} of ${name}.\n`,
    );
  }
}

function released(path: string): Released {
  const { version } = manifestAt(path);
  let changelog: string | undefined;
  try {
    changelog = readFileSync(join(path, "CHANGELOG.md"), "utf8").split(/^## /m)[1];
  } catch {
    changelog = undefined;
  }
  return { version, changelog: changelog?.startsWith(version) ? changelog : undefined };
}

function manifestAt(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest;
}

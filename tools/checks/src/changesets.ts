import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adapters, publicPackages, root } from "./workspace.ts";

export type Bump = "none" | "patch" | "minor" | "major";

/** One file of .changeset/: what it releases, and how. */
export interface Changeset {
  readonly file: string;
  readonly releases: Readonly<Record<string, Bump>>;
}

export function pendingChangesets(folder: string = join(root, ".changeset")): readonly Changeset[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort()
    .map((name) => parseChangeset(name, readFileSync(join(folder, name), "utf8")));
}

export function parseChangeset(file: string, text: string): Changeset {
  const [, head = ""] = text.match(/^---\r?\n([\s\S]*?)^---/m) ?? [];
  const releases = [...head.matchAll(/^["']?([@\w/.-]+)["']?:\s*(none|patch|minor|major)\s*$/gm)];
  return { file, releases: Object.fromEntries(releases.map(([, name = "", bump = ""]) => [name, bump as Bump])) };
}

/**
 * A major of core without a major of every adapter, each as a sentence that says what to do. changesets itself would
 * release such an adapter as a patch that demands the new core.
 */
export function missingMajors(
  changesets: readonly Changeset[],
  names: readonly string[] = adapters().map(({ manifest }) => manifest.name),
): readonly string[] {
  const majors = new Set(
    changesets.flatMap(({ releases }) => Object.keys(releases).filter((name) => releases[name] === "major")),
  );
  if (!majors.has("@holdfast/core")) return [];
  return names
    .filter((name) => !majors.has(name))
    .map((name) => `@holdfast/core gets a major version and ${name} does not: add a major changeset for ${name}`);
}

/**
 * Public packages whose sources changed without a changeset that names them: since their last release (the last commit
 * that touched their CHANGELOG.md; the beginning, where there is none), and on this branch.
 */
export function packagesWithoutChangeset(repository: string = root): readonly string[] {
  const git = gitIn(repository);
  const pending = pendingChangesets(join(repository, ".changeset"));
  const branch = git.branchPoint();
  const added = branch === undefined ? [] : git.changedSince(branch, ".changeset");
  const own = pending.filter(({ file }) => added.includes(`.changeset/${file}`));
  return publicPackages()
    .filter(({ folder, manifest }) => {
      const sources = `packages/${folder}/src`;
      const changelog = `packages/${folder}/CHANGELOG.md`;
      const released = git.lastCommitOf(changelog);
      const unreleased = released === undefined || git.changedSince(released, sources).length > 0;
      if (unreleased && !names(pending, manifest.name)) return true;
      if (branch === undefined || git.changedSince(branch, sources).length === 0) return false;
      // A branch that releases takes the changesets away and writes the changelogs instead.
      return git.changedSince(branch, changelog).length === 0 && !names(own, manifest.name);
    })
    .map(({ manifest }) => `${manifest.name}: its src changed without a changeset; add one with \`pnpm changeset\``);
}

function names(changesets: readonly Changeset[], name: string): boolean {
  return changesets.some(({ releases }) => name in releases);
}

function gitIn(cwd: string) {
  /** What git says; nothing where it fails, as before the first commit. */
  const git = (...args: readonly string[]) => {
    try {
      return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return "";
    }
  };
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  return {
    lastCommitOf: (path: string) => git("log", "-1", "--format=%H", "--", path) || undefined,
    /** Where this branch left the main one; undefined on the main one itself, or where that cannot be known. */
    branchPoint: () => {
      const base = git("merge-base", "HEAD", "origin/main");
      return base === "" || base === git("rev-parse", "HEAD") ? undefined : base;
    },
    /** What differs from the commit in the working tree, files that git does not know yet included. */
    changedSince: (commit: string, path: string) => [
      ...lines(git("diff", "--name-only", commit, "--", path)),
      ...lines(git("ls-files", "--others", "--exclude-standard", "--", path)),
    ],
  };
}

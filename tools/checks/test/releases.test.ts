import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  type Bump,
  missingMajors,
  packagesWithoutChangeset,
  parseChangeset,
  pendingChangesets,
} from "../src/changesets.ts";
import { Outside } from "../src/outside.ts";
import { rehearse } from "../src/rehearsal.ts";
import { adapters, publicPackages } from "../src/workspace.ts";

const core = "@holdfast/core";
const everyAdapter = (bump: Bump) => Object.fromEntries(adapters().map(({ manifest }) => [manifest.name, bump]));

describe("changesets", () => {
  test("every changed package has one", () => {
    expect(packagesWithoutChangeset()).toEqual([]);
  });

  test("a change without one is found: since the last release, and on a branch", () => {
    using scratch = new Outside();
    const git = (...args: readonly string[]) =>
      execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args], { cwd: scratch.path });
    const commit = (file: string, text: string) => {
      scratch.write(file, text);
      git("add", "--all");
      git("commit", "--quiet", "--message", file);
    };
    const found = () => packagesWithoutChangeset(scratch.path).map((each) => each.split(":")[0]);
    const others = adapters().map(({ manifest }) => manifest.name);
    const changeset = (name: string) => `---\n"${name}": patch\n---\n\nx\n`;
    git("init", "--quiet", "--initial-branch=main");
    for (const [index, name] of others.entries()) scratch.write(`.changeset/other-${index}.md`, changeset(name));
    commit("packages/core/src/a.ts", "1");
    expect(found(), "never released").toEqual([core]);
    commit("packages/core/CHANGELOG.md", "1.0.0");
    expect(found(), "released").toEqual([]);
    scratch.write("packages/core/src/new.ts", "1");
    expect(found(), "a new file").toEqual([core]);
    commit(".changeset/mine.md", changeset(core));
    expect(found(), "a new file with a changeset").toEqual([]);
    git("update-ref", "refs/remotes/origin/main", "HEAD");
    commit("packages/core/src/a.ts", "2");
    expect(found(), "on a branch, where the changeset is an earlier one").toEqual([core]);
    scratch.write(".changeset/branch.md", changeset(core));
    expect(found(), "on a branch, with its own").toEqual([]);
  });

  test("name only packages that are published", () => {
    const known = publicPackages().map(({ manifest }) => manifest.name);
    const strange = pendingChangesets().flatMap(({ file, releases }) =>
      Object.keys(releases)
        .filter((name) => !known.includes(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(strange).toEqual([]);
  });

  test("a major of core comes with one of every adapter", () => {
    expect(missingMajors(pendingChangesets())).toEqual([]);
  });

  test("a major of core without one of an adapter is refused, by name", () => {
    const changesets = [parseChangeset("a.md", '---\n"@holdfast/core": major\n"@holdfast/sqlite": major\n---\n\nx\n')];
    expect(missingMajors(changesets, ["@holdfast/sqlite"])).toEqual([]);
    expect(missingMajors(changesets, ["@holdfast/sqlite", "@holdfast/s3"])).toEqual([
      "@holdfast/core gets a major version and @holdfast/s3 does not: add a major changeset for @holdfast/s3",
    ]);
    const minor = [parseChangeset("b.md", "---\n'@holdfast/core': minor\n'@holdfast/sqlite': major\n---\n")];
    expect(missingMajors(minor, ["@holdfast/s3"])).toEqual([]);
  });
});

/** What every adapter becomes, by what becomes of core; undefined: it is not released. */
const cases: readonly {
  readonly what: string;
  readonly from: string;
  readonly changesets: Readonly<Record<string, Bump>>;
  readonly core: string | undefined;
  readonly adapter: string | undefined;
}[] = [
  { what: "a patch of core", from: "1.2.3", changesets: { [core]: "patch" }, core: "1.2.4", adapter: undefined },
  { what: "a minor of core", from: "1.2.3", changesets: { [core]: "minor" }, core: "1.3.0", adapter: undefined },
  {
    what: "a major of core with its adapters",
    from: "1.2.3",
    changesets: { [core]: "major", ...everyAdapter("major") },
    core: "2.0.0",
    adapter: "2.0.0",
  },
  {
    what: "a patch of core before 1.0",
    from: "0.1.0",
    changesets: { [core]: "patch" },
    core: "0.1.1",
    adapter: undefined,
  },
  // At 0.x a minor may break, so `^0.1.0` leaves 0.2.0 out and the adapter is released with the new range.
  {
    what: "a minor of core before 1.0",
    from: "0.1.0",
    changesets: { [core]: "minor" },
    core: "0.2.0",
    adapter: "0.1.1",
  },
  {
    what: "a major of core with its adapters before 1.0",
    from: "0.1.0",
    changesets: { [core]: "major", ...everyAdapter("major") },
    core: "1.0.0",
    adapter: "1.0.0",
  },
  {
    what: "a patch of every adapter",
    from: "1.2.3",
    changesets: everyAdapter("patch"),
    core: undefined,
    adapter: "1.2.4",
  },
];

describe("rehearsal", () => {
  test.concurrent.each(cases)("$what at $from", async ({ from, changesets, ...wanted }) => {
    const became = await rehearse({ from, changesets });
    const outcome = (version: string | undefined) => ({
      version: version ?? from,
      changelog: version === undefined ? undefined : expect.stringContaining(version),
    });
    const adapterOutcomes = adapters().map(({ folder }) => [folder, outcome(wanted.adapter)]);
    expect(became).toEqual({ core: outcome(wanted.core), ...Object.fromEntries(adapterOutcomes) });
  });

  test.concurrent.each(adapters())("a patch of $folder alone releases nothing else", async ({ folder, manifest }) => {
    const became = await rehearse({ from: "1.2.3", changesets: { [manifest.name]: "patch" } });
    const versions = Object.entries(became).map(([name, { version }]) => [name, version]);
    expect(Object.fromEntries(versions)).toEqual(
      Object.fromEntries(publicPackages().map((each) => [each.folder, each.folder === folder ? "1.2.4" : "1.2.3"])),
    );
  });

  test("the changesets that wait can be released", async () => {
    const became = await rehearse({ changesets: {} });
    const named = new Set(pendingChangesets().flatMap(({ releases }) => Object.keys(releases)));
    for (const { folder, manifest } of publicPackages()) {
      const expected = named.has(manifest.name) ? expect.any(String) : became[folder]?.changelog;
      expect(became[folder]?.changelog, folder).toEqual(expected);
    }
  });
});

import { isBuiltin } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { constructions, cycles, type Module, modulesIn } from "../src/modules.ts";
import { adapters, publicPackages, root } from "../src/workspace.ts";

const core = modulesIn(join(root, "packages/core/src"));

describe("core", () => {
  test("has no runtime dependency", () => {
    const [manifest] = publicPackages().flatMap(({ folder, manifest }) => (folder === "core" ? [manifest] : []));
    expect(manifest?.dependencies ?? {}, "core's package.json must keep `dependencies` empty").toEqual({});
    const demanded = Object.keys(manifest?.peerDependencies ?? {}).filter(
      (name) => manifest?.peerDependenciesMeta?.[name]?.optional !== true,
    );
    expect(demanded, "core's peers must be optional in peerDependenciesMeta").toEqual([]);
  });

  test("imports only node: built-ins, and fast-check in the conformance suite alone", () => {
    const wrong = outside(core).filter(
      ({ file, specifier }) =>
        !isNodeBuiltin(specifier) && !(specifier === "fast-check" && file.startsWith("packages/core/src/conformance/")),
    );
    expect(wrong).toEqual([]);
  });

  test("is not reached from the conformance suite's side: nothing outside it imports it", () => {
    const wrong = core
      .filter(({ file }) => !file.startsWith("packages/core/src/conformance/"))
      .flatMap(({ file, imports }) =>
        imports
          .filter(({ specifier }) => specifier.includes("/conformance/"))
          .map(({ specifier }) => `${file}: ${specifier}`),
      );
    expect(wrong, "a user of core must not load the suite").toEqual([]);
  });

  test("the suite's model shares no code with the store or the memory driver", () => {
    const model = core.filter(({ file }) => file.startsWith("packages/core/src/conformance/model/"));
    const wrong = model.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier, typeOnly }) => !typeOnly && /\/(store|memory)\//.test(specifier))
        .map(({ specifier }) => `${file}: ${specifier}`),
    );
    expect(wrong, "a model that shares code agrees with its bugs").toEqual([]);
  });
});

describe.each(adapters())("$folder", ({ path, manifest }) => {
  const modules = modulesIn(join(path, "src"));

  test("imports @holdfast/core, its own dependencies and node: built-ins only", () => {
    const own = Object.keys(manifest.dependencies ?? {});
    const allowed = (specifier: string) =>
      isNodeBuiltin(specifier) ||
      specifier === "@holdfast/core" ||
      specifier === "@holdfast/core/driver" ||
      specifier === "@holdfast/core/log" ||
      own.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    expect(outside(modules).filter(({ specifier }) => !allowed(specifier))).toEqual([]);
  });

  test("depends on no other package of the workspace than core, as a peer", () => {
    const ours = (names: Readonly<Record<string, string>> = {}) =>
      Object.keys(names).filter((name) => name.startsWith("@holdfast/"));
    expect(ours(manifest.dependencies), "core must be a peer, so that there is one copy of its classes").toEqual([]);
    expect(manifest.peerDependencies).toEqual({ "@holdfast/core": "workspace:^" });
    expect(manifest.devDependencies?.["@holdfast/core"]).toBe("workspace:*");
  });

  test("constructs no error of the contract: it says what happened, and core makes the error", () => {
    const wrong = [...constructions(modules, contractErrors)].flatMap(([name, places]) =>
      places.map((place) => `${place}: new ${name}`),
    );
    expect(wrong, "give an outcome, or throw a DriverFailure").toEqual([]);
  });
});

describe("modules", () => {
  test.each(publicPackages())("$folder: no two load each other", ({ path }) => {
    expect(cycles(modulesIn(join(path, "src")))).toEqual([]);
  });

  test("a cycle would be found", () => {
    const module = (file: string, specifier: string, typeOnly = false) =>
      ({ file, imports: [{ specifier, typeOnly }] }) as unknown as Module;
    const circle = [module("a.ts", "./b.ts"), module("b.ts", "./c.ts"), module("c.ts", "./a.ts")];
    expect(cycles(circle)).toEqual(["a.ts -> b.ts -> c.ts -> a.ts"]);
    expect(cycles([module("a.ts", "./b.ts"), module("b.ts", "./a.ts", true)])).toEqual([]);
  });
});

const contractErrors = new Set([
  "HoldfastError",
  "InvalidArgumentError",
  "InvalidStateError",
  "OffsetConflictError",
  "RevisionConflictError",
  "OutcomeUnknownError",
  "UnsupportedError",
  "UnavailableError",
  "CorruptionError",
]);

/** Made of what a driver says, so one module is enough. The others are also made where arguments and states are checked. */
const madeOnce = ["OffsetConflictError", "RevisionConflictError", "OutcomeUnknownError"] as const;

describe("errors", () => {
  const places = constructions(
    core.filter(({ file }) => !file.startsWith("packages/core/src/conformance/")),
    contractErrors,
  );

  test.each(madeOnce)("%s is made in one module of core", (name) => {
    const found = places.get(name) ?? [];
    const files = new Set(found.map((place) => place.split(":")[0]));
    expect(files.size, `constructed at: ${found.join(", ")}`).toBe(1);
  });
});

/** Imports that leave the package. */
function outside(modules: readonly Module[]): readonly { readonly file: string; readonly specifier: string }[] {
  return modules.flatMap(({ file, imports }) =>
    imports.filter(({ specifier }) => !specifier.startsWith(".")).map(({ specifier }) => ({ file, specifier })),
  );
}

function isNodeBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") && isBuiltin(specifier);
}

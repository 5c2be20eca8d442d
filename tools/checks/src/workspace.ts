import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the repository. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), "../../..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly keywords?: readonly string[];
  readonly files?: readonly string[];
  readonly engines?: { readonly node?: string };
  readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface WorkspacePackage {
  /** The folder's own name, e.g. "sqlite". */
  readonly folder: string;
  readonly path: string;
  readonly manifest: Manifest;
}

/** The packages in one folder of the workspace: "packages", "examples" or "tools". */
export function packagesIn(area: string): readonly WorkspacePackage[] {
  return readdirSync(join(root, area), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .flatMap((folder) => {
      const path = join(root, area, folder);
      const manifest = manifestOf(path);
      return manifest === undefined ? [] : [{ folder, path, manifest }];
    });
}

/** What is published: every package of packages/ that is not private. */
export function publicPackages(): readonly WorkspacePackage[] {
  return packagesIn("packages").filter(({ manifest }) => manifest.private !== true);
}

/** What is published beside core: each backend. */
export function adapters(): readonly WorkspacePackage[] {
  return publicPackages().filter(({ folder }) => folder !== "core");
}

function manifestOf(path: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, "package.json"), "utf8");
  } catch {
    return undefined;
  }
  return JSON.parse(text) as Manifest;
}

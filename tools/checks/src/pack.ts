import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { pnpm } from "./programs.ts";
import { publicPackages } from "./workspace.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The path of each public package's tarball, by the package's name: what a user would install. */
    tarballs: Readonly<Record<string, string>>;
  }
}

/** Packs every public package once, before the tests. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-tarballs-"));
  const packed = await Promise.all(
    publicPackages().map(async ({ path, manifest }) => {
      const { stdout } = await pnpm(["pack", "--json", "--pack-destination", folder], { cwd: path });
      const { filename } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { filename: string };
      return [manifest.name, filename] as const;
    }),
  );
  project.provide("tarballs", Object.fromEntries(packed));
  return () => rmSync(folder, { recursive: true, force: true });
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Output, pnpm, type RunOptions, run } from "./programs.ts";

/** An empty folder outside the workspace, where a user's project is made. */
export class Outside implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "holdfast-outside-"));

  write(name: string, content: string | object): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  node(args: readonly string[], options: Partial<RunOptions> = {}): Promise<Output> {
    return run(process.execPath, ["--experimental-strip-types", ...args], { cwd: this.path, ...options });
  }

  /** `npm install`, and what it installed: every package's name and version, without the project itself. */
  async npmInstall(...packages: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", ...packages];
    await run("npm", args, { cwd: this.path });
    const lock = JSON.parse(this.read("package-lock.json")) as { packages: Record<string, { version: string }> };
    const installed = Object.entries(lock.packages).filter(([path]) => path !== "");
    return Object.fromEntries(installed.map(([path, { version }]) => [path.replace(/^.*node_modules\//, ""), version]));
  }

  /** `pnpm install` in its strict layout: a package can import only what its own package.json names. */
  async pnpmInstall(): Promise<void> {
    await pnpm(["install", "--ignore-scripts", "--prefer-offline", "--config.node-linker=isolated"], {
      cwd: this.path,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

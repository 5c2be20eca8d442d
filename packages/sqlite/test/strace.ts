import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";

/** Whether system calls can be counted here. Where root is, Debian's strace is installed; with CI=true it must be there. */
export function canTrace(): boolean {
  if (works()) return true;
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    // A new machine has no lists of packages yet.
    for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "strace"]]) {
      spawnSync("apt-get", args, { stdio: "ignore", timeout: 120_000 });
    }
    if (works()) return true;
  }
  const why = "strace is missing or may not trace: install it (apt-get install strace), or syncs go uncounted";
  if (process.env["CI"] === "true") throw new Error(why);
  console.warn(`SKIPPED, LOUDLY: ${why}`);
  return false;
}

function works(): boolean {
  return spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
}

/** Runs a program, and gives what it sent and how many syncs to disk it made. */
export async function traced(
  folder: string,
  program: string,
  args: readonly string[],
): Promise<{ readonly sent: readonly unknown[]; readonly syncs: number }> {
  const log = join(folder, `trace-${Math.random()}`);
  const child = new Child(program, args, ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", log]);
  const sent = await child.rest();
  return { sent, syncs: readFileSync(log, "utf8").match(/f(data)?sync\(/g)?.length ?? 0 };
}

/** Runs a program in which every sync from the `from`th on fails with EIO; gives what it sent. */
export function withFailingSyncs(program: string, args: readonly string[], from: number): Promise<readonly unknown[]> {
  const inject = `inject=fsync,fdatasync:error=EIO:when=${from}+`;
  return new Child(program, args, [
    "strace",
    "-f",
    "-qq",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    inject,
    "-o",
    "/dev/null",
  ]).rest();
}

/** Whether this process may mount a small file system for itself. */
export function canMount(): boolean {
  try {
    execFileSync("unshare", ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    const why = "a full disk needs a mount of its own (unshare --map-root-user --mount), which is not allowed here";
    if (process.env["CI"] === "true") throw new Error(why);
    console.warn(`SKIPPED, LOUDLY: ${why}`);
    return false;
  }
}

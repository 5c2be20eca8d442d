import { execFileSync, spawnSync } from "node:child_process";
import { skipLoudly } from "./skip.ts";

/** Whether system calls can be counted and altered here. Where root is, Debian's strace is installed; with CI=true it must be there. */
export function canTrace(): boolean {
  if (works()) return true;
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    // A new machine has no lists of packages yet.
    for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "strace"]]) {
      spawnSync("apt-get", args, { stdio: "ignore", timeout: 120_000 });
    }
    if (works()) return true;
  }
  return skipLoudly(
    "strace is missing or may not trace: install it (apt-get install strace), or none is counted or made to fail",
  );
}

function works(): boolean {
  return spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
}

/** Whether this process may mount a small file system for itself. */
export function canMount(): boolean {
  try {
    execFileSync("unshare", ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return skipLoudly(
      "a full disk needs a mount of its own (unshare --map-root-user --mount), which is not allowed here",
    );
  }
}

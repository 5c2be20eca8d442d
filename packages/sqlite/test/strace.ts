import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";

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

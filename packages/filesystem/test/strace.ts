import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";

const CALLS = "write,writev,pwrite64,pread64,read,fsync,fdatasync,statx,fstat,newfstatat,linkat,link,rename,ftruncate";

/** A system call of a traced program: its name, and the file it was about, from the store's folder on. */
export interface Call {
  readonly name: string;
  readonly file: string;
}

/** Runs a program, and gives what it sent and the calls it made on files in `directory`, in order of their beginning. */
export async function traced(
  directory: string,
  program: string,
  args: readonly string[],
): Promise<{ readonly sent: readonly unknown[]; readonly calls: readonly Call[] }> {
  const log = join(directory, "..", `trace-${Math.random()}`);
  const child = new Child(program, args, ["strace", "-f", "-qq", "-yy", "-e", `trace=${CALLS}`, "-o", log]);
  const sent = await child.rest();
  const calls = readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line): Call[] => {
      const [, name = "", path = ""] = /^\d+ +(\w+)\(\d+<([^>]*)>/.exec(line) ?? [];
      return path.startsWith(`${directory}/`) ? [{ name, file: path.slice(directory.length + 1) }] : [];
    });
  return { sent, calls };
}

/** How often each kind of call was made on each file. */
export function counted(calls: readonly Call[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name, file } of calls) {
    const kind = /^f?statx?$|^newfstatat$/.test(name) ? "stat" : name;
    const key = `${kind} ${file}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Has strace interfere with the system calls of a program on one file, once it is started by {@link Child}. */
export function interfering(path: string, inject: string): readonly string[] {
  const calls = inject.slice(0, inject.indexOf(":"));
  return ["strace", "-f", "-qq", "-P", path, "-e", `trace=${calls}`, "-e", `inject=${inject}`, "-o", "/dev/null"];
}

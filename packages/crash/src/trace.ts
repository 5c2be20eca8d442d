const SYNCS = "fsync,fdatasync";

/** What to start a program under, so that each of its syncs begins so much later: a slow disk. */
export function slowSyncs(delayMs: number, calls: string = SYNCS): readonly string[] {
  return [...traced(calls), "--seccomp-bpf", "-e", `inject=${calls}:delay_enter=${delayMs * 1_000}`];
}

/** Its syncs succeed and do nothing: all of them, those of data alone (fdatasync), or those of the files and folders named. */
export function skippedSyncs(calls: string = SYNCS, paths: readonly string[] = []): readonly string[] {
  const only = paths.flatMap((path) => ["-P", path]);
  return [...traced(calls), "--seccomp-bpf", ...only, "-e", `inject=${calls}:retval=0`];
}

/** It is killed at the `nth` time that a thread of it makes the system call. */
export function killedAt(call: string, nth: number): readonly string[] {
  return [...traced(call), "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
}

function traced(calls: string): readonly string[] {
  return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`];
}

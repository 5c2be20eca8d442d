import { DriverFailure } from "@holdfast/core/driver";

/** Another connection holds the lock: nothing happened, and it will pass. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(error));
}

/** A sync to disk failed: from here on nobody knows what the disk holds. */
export function isSyncFailure(error: unknown): boolean {
  return /^SQLITE_IOERR_(DIR_)?FSYNC$/.test(codeOf(error));
}

/** A COMMIT that failed so left no whole transaction behind. Of other I/O errors nobody can say. */
export function leavesNothing(error: unknown): boolean {
  return !codeOf(error).startsWith("SQLITE_IOERR");
}

/** The stored bytes contradict themselves. */
export function damaged(what: string): DriverFailure {
  return new DriverFailure("corruption", `${what}: restore the database file from a copy`);
}

/** The failure that core makes a public error of. */
export function toFailure(error: unknown): DriverFailure {
  if (error instanceof DriverFailure) return error;
  const code = codeOf(error);
  const cause = { cause: error };
  if (isBusy(error)) {
    return new DriverFailure(
      "unavailable",
      "another process kept the database locked until the time was up: try again",
      cause,
    );
  }
  // SQLITE_ERROR: a statement of ours does not fit the schema, although its text was checked at open.
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT|MISMATCH|CONSTRAINT|ERROR|TOOBIG)/.test(code)) {
    return new DriverFailure("corruption", "the database file is damaged: restore it from a copy", cause);
  }
  if (code === "SQLITE_FULL") {
    return new DriverFailure(
      "unavailable",
      "the disk, or the database file's size limit, is full: make room and try again",
      cause,
    );
  }
  if (code.startsWith("SQLITE_READONLY")) {
    return new DriverFailure("unavailable", "the database file is read-only: make it and its folder writable", cause);
  }
  if (/^SQLITE_(CANTOPEN|PERM|AUTH)/.test(code)) {
    return new DriverFailure(
      "unavailable",
      "the database file cannot be opened: see that it and its folder can be read and written",
      cause,
    );
  }
  return new DriverFailure(
    "unavailable",
    `SQLite failed with ${code || "an unknown error"}: mend the cause and try again`,
    cause,
  );
}

export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

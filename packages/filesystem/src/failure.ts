import { DriverFailure } from "@holdfast/core/driver";

export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** The failure that core makes a public error of. */
export function toFailure(error: unknown): DriverFailure {
  if (error instanceof DriverFailure) return error;
  const code = codeOf(error);
  return new DriverFailure("unavailable", adviceFor(code), { cause: error });
}

function adviceFor(code: string): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return "the disk, or what this user may use of it, is full: make room and try again";
    case "EROFS":
      return "the store lies on a file system that can only be read: make it writable";
    case "EACCES":
    case "EPERM":
      return "the store's folder and files cannot be read and written: mend their permissions";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open: raise the limit, or open fewer stores";
    default:
      return `the file system failed with ${code || "an unknown error"}: mend the cause and try again`;
  }
}

/** The stored bytes contradict themselves. */
export function damaged(what: string): DriverFailure {
  return new DriverFailure("corruption", `${what}: restore the store from a copy`);
}

export function wrongArgument(message: string): DriverFailure {
  return new DriverFailure("argument", `directory: ${message}`);
}

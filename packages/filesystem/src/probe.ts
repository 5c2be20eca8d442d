import { closeSync, constants, linkSync, openSync, readFileSync, unlinkSync, write } from "node:fs";
import { dirname, join } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import { codeOf } from "./failure.ts";
import { temporaryName } from "./files.ts";

const APPENDS = 8;
const APPEND_BYTES = 4096;
const MISSING_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** Tries what the store rests on: hard links, and appends from two descriptors at once that don't overwrite each other. */
export async function probe(temporary: string): Promise<void> {
  const path = join(temporary, temporaryName());
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const fds: number[] = [];
  try {
    fds.push(openSync(path, flags | constants.O_EXCL, 0o600), openSync(path, flags, 0o600));
    tryLink(path);
    const appends = Array.from({ length: APPENDS }, (_, index) => append(fds[index % 2] ?? 0, index));
    await Promise.all(appends);
    checkAppends(readFileSync(path, "latin1"));
  } finally {
    for (const fd of fds) closeSync(fd);
    if (fds.length > 0) unlinkSync(path);
  }
}

function tryLink(path: string): void {
  const other = join(dirname(path), temporaryName());
  try {
    linkSync(path, other);
  } catch (error) {
    if (!MISSING_LINKS.includes(codeOf(error))) throw error;
    throw new DriverFailure("unsupported", "directory: there are no hard links here: name a folder on a local disk", {
      cause: error,
    });
  }
  unlinkSync(other);
}

function append(fd: number, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(fd, Buffer.alloc(APPEND_BYTES, String(index)), (error) => (error ? reject(error) : resolve()));
  });
}

function checkAppends(found: string): void {
  const whole = Array.from({ length: APPENDS }, (_, index) => String(index).repeat(APPEND_BYTES));
  if (found.length === APPENDS * APPEND_BYTES && whole.every((each) => found.includes(each))) return;
  throw new DriverFailure("unsupported", "directory: appends are not atomic here: name a folder on a local disk");
}

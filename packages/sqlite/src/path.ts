import { type Stats, statfsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import { codeOf } from "./failure.ts";

/** File systems shared by machines, by their statfs type: processes on two machines can't share a write-ahead log there. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
]);

/** The path as SQLite shall have it. Looks at the file from outside only: closing a descriptor of an open database drops its locks. */
export function checkPath(path: unknown): string {
  if (typeof path !== "string" || path === "") throw argument("path must be the name of a file");
  // SQLite's name for a database without a file: refused there, since it has no log.
  if (path === ":memory:") return path;
  if (path.includes("\0") || !path.isWellFormed()) throw argument("path must be well-formed, without NUL characters");
  // better-sqlite3 would cut it off, and open another file.
  if (path.trimEnd() !== path) throw argument("path must not end in white space");
  const file = resolve(path);
  const folder = dirname(file);
  if (!look(folder)?.isDirectory()) {
    throw new DriverFailure("unavailable", `path: the folder of ${basename(file)} does not exist: make it first`);
  }
  const stats = look(file);
  if (stats !== undefined && !stats.isFile()) {
    throw argument(`path: ${basename(file)} is ${stats.isDirectory() ? "a folder" : "no regular file"}: name a file`);
  }
  const fileSystem = NETWORK_FILE_SYSTEMS.get(statfsSync(folder).type);
  if (fileSystem !== undefined) {
    throw new DriverFailure(
      "unsupported",
      `SQLite can't share a write-ahead log on ${fileSystem}: name a file on a local disk`,
    );
  }
  return file;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw new DriverFailure("unavailable", "path: the folder can't be looked into: see that it can be read", {
      cause: error,
    });
  }
}

function argument(message: string): DriverFailure {
  return new DriverFailure("argument", message);
}

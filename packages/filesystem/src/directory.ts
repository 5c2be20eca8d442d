import { mkdirSync, realpathSync, type Stats, statfsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import { codeOf, wrongArgument } from "./failure.ts";
import { syncFolder } from "./files.ts";

const FOLDER_MODE = 0o700;

/** File systems, by their type in statfs on Linux, on which appends of several processes can overwrite each other, or a sync may not reach a disk. */
const UNFIT_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x47504653, "GPFS"],
  [0xaad7aaea, "PanFS"],
  [0x19830326, "BeeGFS"],
  [0x01021997, "9P"],
  [0x65735546, "FUSE"],
  [0x786f4256, "vboxsf"],
  [0xbacbacbc, "vmhgfs"],
  [0x7c7c6673, "prl_fs"],
  [0x9fa0, "proc"],
  [0x62656572, "sysfs"],
]);

/** Checks the `directory` of the options, and makes the folder where it is missing; gives its real path. */
export async function prepareDirectory(directory: unknown): Promise<string> {
  checkPlatform();
  if (typeof directory !== "string" || directory === "") throw wrongArgument("must be the name of a folder");
  if (directory.includes("\0") || !directory.isWellFormed()) {
    throw wrongArgument("must be well-formed, without NUL characters");
  }
  const path = resolve(directory);
  const stats = look(path);
  if (stats !== undefined && !stats.isDirectory()) throw wrongArgument(`${basename(path)} is no folder`);
  const parent = dirname(path);
  if (stats === undefined) {
    if (!look(parent)?.isDirectory()) {
      throw new DriverFailure(
        "unavailable",
        `directory: the folder of ${basename(path)} does not exist: make it first`,
      );
    }
    checkFileSystem(parent);
    makeFolder(path);
  }
  const real = realpathSync(path);
  checkFileSystem(real);
  // Whoever made the folder: its name must not vanish in a power cut.
  await syncFolder(dirname(real));
  return real;
}

/** Others may make it at the same moment. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** The name of a file system on which a store can't be kept; undefined: nothing is known against it. */
export function unfitFileSystem(type: number): string | undefined {
  return UNFIT_FILE_SYSTEMS.get(type >>> 0);
}

export function checkPlatform(platform: string = process.platform): void {
  if (platform === "linux" || platform === "darwin") return;
  throw new DriverFailure("unsupported", `@holdfast/filesystem runs on Linux and macOS, not on ${platform}`);
}

function checkFileSystem(path: string): void {
  const name = process.platform === "linux" ? unfitFileSystem(statfsSync(path).type) : undefined;
  if (name === undefined) return;
  throw new DriverFailure(
    "unsupported",
    `directory: appends of several processes are not atomic, or syncs not certain, on ${name}: name a folder on a local disk`,
  );
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

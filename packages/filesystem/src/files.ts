import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync as fdatasyncCallback,
  fstatSync,
  fsync as fsyncCallback,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
  writevSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { codeOf, damaged } from "./failure.ts";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const FILE_MODE = 0o600;

const ACCESS = { read: O_RDONLY, write: O_RDWR, append: O_RDWR | O_APPEND } as const;

/** Opens a file that exists; undefined: it does not. What is no regular file, or a symbolic link, is refused as damage. */
export function openFile(path: string, access: keyof typeof ACCESS): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, ACCESS[access] | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (["ELOOP", "EMLINK", "EISDIR", "ENXIO"].includes(codeOf(error))) throw strange();
    throw error;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw strange();
}

function strange(): Error {
  return damaged("something in the store's folder is a symbolic link, or no regular file");
}

/** Waits until the file's data, and its size, are on disk. */
export function fdatasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasyncCallback(fd, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsyncCallback(fd, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    await fsync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Puts whole files under their names at once. Made in `temporary`, a folder on the same file system. */
export class Publisher {
  readonly #temporary: string;

  constructor(temporary: string) {
    this.#temporary = temporary;
  }

  /** Durable when it resolves, by whomever it was created. false: the name was taken. */
  async create(path: string, bytes: Uint8Array): Promise<boolean> {
    const created = await this.#write([bytes], (temporary) => {
      try {
        linkSync(temporary, path);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      } finally {
        unlinkSync(temporary);
      }
    });
    await syncFolder(dirname(path));
    return created;
  }

  /** A file of `pieces`, behind each other. Durable when it resolves. */
  async replace(path: string, pieces: readonly Uint8Array[]): Promise<void> {
    await this.#write(pieces, (temporary) => renameSync(temporary, path));
    await syncFolder(dirname(path));
  }

  async #write<T>(pieces: readonly Uint8Array[], publish: (temporary: string) => T): Promise<T> {
    const temporary = join(this.#temporary, temporaryName());
    const fd = openSync(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    try {
      writeAll(fd, pieces);
      await fsync(fd);
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
    return publish(temporary);
  }
}

/** So many pieces are written at once. */
const MAX_PIECES = 512;

/** A file that nobody else sees yet: a short write is gone on with. */
function writeAll(fd: number, pieces: readonly Uint8Array[]): void {
  for (let from = 0; from < pieces.length; from += MAX_PIECES) {
    const some = pieces.slice(from, from + MAX_PIECES);
    const bytes = some.reduce((sum, piece) => sum + piece.length, 0);
    const written = writevSync(fd, some);
    if (written === bytes) continue;
    const rest = Buffer.concat(some).subarray(written);
    for (let at = 0; at < rest.length; ) at += writeSync(fd, rest, at, rest.length - at);
  }
}

const TEMPORARY_NAME = /^[0-9a-f-]{36}\.tmp$/;

export function temporaryName(): string {
  return `${randomUUID()}.tmp`;
}

export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** Open descriptors of files that never change, the most recently used ones. */
export class Descriptors {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Good until the next call. undefined: there is no such file. */
  get(path: string): number | undefined {
    const known = this.#open.get(path);
    const fd = known ?? openFile(path, "read");
    if (fd === undefined) return undefined;
    this.#open.delete(path);
    this.#open.set(path, fd);
    const [oldest] = this.#open.keys();
    if (this.#open.size > this.#max && oldest !== undefined) this.drop(oldest);
    return fd;
  }

  drop(path: string): void {
    const fd = this.#open.get(path);
    if (fd === undefined) return;
    this.#open.delete(path);
    closeSync(fd);
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.drop(path);
  }
}

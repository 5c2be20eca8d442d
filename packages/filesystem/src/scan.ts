import { readSync } from "node:fs";
import {
  BEGINNING_BYTES,
  decodeLine,
  type LogLine,
  nextBeginning,
  SEAL_BYTES,
  statedSize,
  wholeAt,
} from "./framing.ts";

/** So much is read at once. */
const CHUNK_BYTES = 1024 * 1024;
const SPACE = 32;
const LINE_FEED = 10;

export interface FoundBlock {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Behind its last byte. */
  readonly end: number;
}

/** A process told that a sync failed: what lies between `from` and its line may not be on disk. */
export interface Distrust {
  readonly from: number;
  /** Behind the line. */
  readonly end: number;
}

/** What was found in a stretch of a file of the log. */
export interface Scan {
  readonly blocks: readonly FoundBlock[];
  /** In front of it everything is decided: found, or dead. What lies behind it is pending, or was not asked for. */
  readonly decided: number;
  /** The log goes on in the next file: nothing behind this line counts. */
  readonly rolled: boolean;
  /** The last "sync failed" line: where it ends, and the least "from" of all of them. */
  readonly distrusted: Distrust | undefined;
  /** It stopped because it had found enough. */
  readonly full: boolean;
}

/**
 * Finds the blocks between `from`, where something begins or ended, and `size`.
 *
 * What is whole, its checksum right, counts. Anything else is pending until something whole lies behind it; then it is
 * dead, for everybody and for ever, since nobody continues a write. The size that a torn thing states is never believed.
 */
export function scan(fd: number, from: number, size: number, maxBytes: number): Scan {
  const stretch = new Stretch(fd, size);
  const blocks: FoundBlock[] = [];
  let bytes = 0;
  let decided = from;
  let distrusted: Distrust | undefined;
  while (bytes < maxBytes) {
    const found = stretch.nextWhole(decided);
    if (found === undefined) return { blocks, decided, rolled: false, distrusted, full: false };
    decided = found.end;
    const line = decodeLine(found.bytes);
    if (line === undefined) {
      blocks.push(found);
      bytes += found.bytes.length;
    } else if (line.log === "next") {
      return { blocks, decided, rolled: true, distrusted, full: false };
    } else if (line.log === "sync failed") {
      distrusted = { from: Math.min(line.from, distrusted?.from ?? line.from), end: decided };
    }
  }
  return { blocks, decided, rolled: false, distrusted, full: true };
}

/** The line that a file begins with; undefined: it is damaged. */
export function firstLine(fd: number): { readonly line: LogLine; readonly end: number } | undefined {
  const bytes = readAt(fd, 0, 512);
  const whole = wholeAt(bytes);
  const line = whole && decodeLine(whole);
  return whole && line && { line, end: whole.length };
}

/** Fewer bytes than asked for only at the end of the file. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

/** A file's bytes up to `size`, read a chunk at a time. What was given out stays as it is. */
class Stretch {
  readonly #fd: number;
  readonly #size: number;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where `#bytes` begin in the file. */
  #base = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** The first thing from `from` on that is whole. */
  nextWhole(from: number): { readonly offset: number; readonly bytes: Buffer; readonly end: number } | undefined {
    let at: number | undefined = this.#skipBlank(from);
    while (at !== undefined && at < this.#size) {
      const bytes = this.#wholeAt(at);
      if (bytes !== undefined) return { offset: at, bytes, end: at + bytes.length };
      at = this.#nextBeginning(at);
    }
    return undefined;
  }

  #skipBlank(from: number): number {
    for (let at = from; at < this.#size; at++) {
      const byte = this.#load(at, 1)[0];
      if (byte !== SPACE && byte !== LINE_FEED) return at;
    }
    return this.#size;
  }

  #wholeAt(at: number): Buffer | undefined {
    const size = statedSize(this.#load(at, SEAL_BYTES), 0);
    if (size === undefined || size > this.#size - at) return undefined;
    return wholeAt(this.#load(at, size));
  }

  #nextBeginning(behind: number): number | undefined {
    for (let at = behind; at < this.#size; ) {
      const bytes = this.#load(at, Math.min(CHUNK_BYTES, this.#size - at));
      const found = nextBeginning(bytes, 0);
      if (found >= 0) return at + found;
      if (at + bytes.length >= this.#size) return undefined;
      at += bytes.length - BEGINNING_BYTES + 1;
    }
    return undefined;
  }

  /** The bytes from `at` on: at least `length`, or all there are. */
  #load(at: number, length: number): Buffer {
    const wanted = Math.min(length, this.#size - at);
    const start = at - this.#base;
    if (start < 0 || start + wanted > this.#bytes.length) {
      this.#bytes = readAt(this.#fd, at, Math.min(Math.max(wanted, CHUNK_BYTES), this.#size - at));
      this.#base = at;
      return this.#bytes;
    }
    return this.#bytes.subarray(start);
  }
}

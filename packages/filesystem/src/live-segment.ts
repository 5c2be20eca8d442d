import { closeSync, fstatSync, writeSync } from "node:fs";
import { join } from "node:path";
import { damaged } from "./failure.ts";
import { fdatasync, openFile } from "./files.ts";
import { encodeLine, type LogLine, SEPARATOR } from "./framing.ts";
import { logFileName } from "./layout.ts";
import { type Distrust, type FoundBlock, firstLine, readAt, type Scan, scan } from "./scan.ts";

/** What was appended last, and that no block lies between `from` and it. */
interface OwnBlock extends FoundBlock {
  readonly from: number;
}

/** So much of a file is written again at once. */
const REWRITE_BYTES = 1024 * 1024;

/**
 * The file that the log grows at its end, shared by any number of processes. It is only ever appended to, and what is in
 * it never changes.
 *
 * Two descriptors stay open for as long as it is used, one for the syncs of appends and one for those of reads: Linux
 * tells each descriptor once of a write that failed after it was opened. So of two syncs on one descriptor at a time only
 * one would be told.
 */
export class LiveSegment {
  readonly number: number;
  readonly headerEnd: number;
  /** As it was last seen. */
  size: number;
  /** What lies in front of it survives a power cut. */
  durable: number;
  /** The line that ends this file was seen. */
  rolled = false;
  readonly #path: string;
  readonly #appender: number;
  readonly #reader: number;
  /** In front of it everything was looked at, and nothing is pending. */
  #clean: number;
  #lastBlockEnd: number;
  #own: OwnBlock | undefined;
  /** A process told that what lies behind this byte may not be on disk. */
  #distrusted: Distrust | undefined;
  #syncing: Promise<void> | undefined;
  #securing: Promise<void> | undefined;
  #pending = 0;
  #retired = false;

  private constructor(number: number, path: string, fds: readonly [number, number], headerEnd: number) {
    this.number = number;
    this.headerEnd = headerEnd;
    this.#path = path;
    [this.#appender, this.#reader] = fds;
    this.size = fstatSync(this.#reader).size;
    this.durable = headerEnd;
    this.#clean = headerEnd;
    this.#lastBlockEnd = 0;
  }

  /** What lies behind `trusted` is first made durable anew. "merged": this file is a stub. */
  static async open(folder: string, number: number, trusted: number): Promise<LiveSegment | "merged"> {
    const path = join(folder, logFileName(number));
    const segment = LiveSegment.#open(path, number);
    if (segment === "merged") return segment;
    try {
      segment.durable = Math.min(Math.max(trusted, segment.headerEnd), segment.size);
      if (segment.durable < segment.size) await segment.#secure(segment.durable);
      return segment;
    } catch (error) {
      segment.retire();
      throw error;
    }
  }

  static #open(path: string, number: number): LiveSegment | "merged" {
    for (;;) {
      const fds: number[] = [];
      try {
        for (const access of ["append", "read"] as const) fds.push(openFile(path, access) ?? missing());
        const [appender = -1, reader = -1] = fds;
        const first = firstLine(reader);
        const kind = checkFirstLine(first?.line, number);
        // Between the two a stub may have taken the file's place.
        if (kind === "segment" && isSameFile(appender, reader)) {
          return new LiveSegment(number, path, [appender, reader], first?.end ?? 0);
        }
        for (const fd of fds.splice(0)) closeSync(fd);
        if (kind === "merged") return kind;
      } catch (error) {
        for (const fd of fds) closeSync(fd);
        throw error;
      }
    }
  }

  /** Nothing in front of `boundary` is of interest: something begins or ends there, and the log had not rolled on. */
  skipTo(boundary: number): void {
    this.#clean = boundary;
    this.#lastBlockEnd = boundary;
  }

  /** Looks how long the file is now. */
  look(): number {
    this.size = fstatSync(this.#reader).size;
    return this.size;
  }

  /** Writes a block at the end, and says whether all of it was written. Throws if nothing was. */
  write(block: Uint8Array): boolean {
    const bytes = Buffer.allocUnsafe(SEPARATOR.length + block.length);
    SEPARATOR.copy(bytes);
    bytes.set(block, SEPARATOR.length);
    return writeSync(this.#appender, bytes) === bytes.length;
  }

  /**
   * Whether a block that was written in this same turn is in the log. If not, it never will be: it lies behind the line
   * that ends this file, or the write was short. Node goes on with a short write by itself, so that the rest may lie
   * behind another's block: only the file says whether the block is whole.
   */
  holds(block: Uint8Array, written: boolean): boolean {
    const from = this.#clean;
    const end = this.look();
    const offset = from + SEPARATOR.length;
    if (written && end === offset + block.length && !this.rolled) {
      this.#own = { from: this.#lastBlockEnd, offset, bytes: block, end };
      this.#clean = end;
      this.#lastBlockEnd = end;
      return true;
    }
    return this.scan(from, Number.POSITIVE_INFINITY).blocks.some(({ bytes }) => Buffer.compare(bytes, block) === 0);
  }

  /** Looks at what was added: whether the log goes on in another file. */
  refresh(): void {
    this.look();
    this.scan(this.#clean, Number.POSITIVE_INFINITY);
  }

  /** Appends a line of the log's own, if that can be done. */
  tell(line: LogLine): void {
    this.write(encodeLine(line));
  }

  /** What lies between `from` and the size last seen. */
  scan(from: number, maxBytes: number): Scan {
    const own = this.#own;
    if (own !== undefined && from >= own.from && from <= own.offset && own.end === this.size) {
      return { blocks: [own], decided: own.end, rolled: false, distrusted: undefined, full: false };
    }
    const found = scan(this.#reader, from, this.size, maxBytes);
    const last = found.blocks.at(-1)?.end;
    if (found.rolled) this.rolled = true;
    if (found.distrusted !== undefined && found.distrusted.end > this.durable) this.#distrusted = found.distrusted;
    if (from <= this.#clean && found.decided > this.#clean) {
      this.#clean = found.decided;
      if (last !== undefined) this.#lastBlockEnd = Math.max(this.#lastBlockEnd, last);
    }
    return found;
  }

  readAt(offset: number, length: number): Buffer {
    return readAt(this.#reader, offset, length);
  }

  /** Makes durable what this process has appended. Called once at a time. */
  syncAppended(): Promise<void> {
    return this.#syncThrough(this.#appender);
  }

  /** Makes durable what lies in front of `upTo`, whoever wrote it. Those who ask at once share one sync. */
  async sync(upTo: number): Promise<void> {
    while (this.durable < upTo || this.#distrusted !== undefined) {
      this.#syncing ??= this.#syncThrough(this.#reader).finally(() => {
        this.#syncing = undefined;
      });
      await this.#syncing;
    }
  }

  async #syncThrough(fd: number): Promise<void> {
    const upTo = this.size;
    this.#pending += 1;
    try {
      await fdatasync(fd);
      // Where another process was told of a failure, the success of a sync proves nothing.
      while (this.#distrusted !== undefined) await this.#secureOnce(Math.max(this.headerEnd, this.#distrusted.from));
      this.durable = Math.max(this.durable, upTo);
    } finally {
      this.#pending -= 1;
      if (this.#retired && this.#pending === 0) this.retire();
    }
  }

  #secureOnce(from: number): Promise<void> {
    this.#securing ??= this.#secure(from).finally(() => {
      this.#securing = undefined;
    });
    return this.#securing;
  }

  /**
   * The page cache may show what the disk never took: a write that failed leaves its pages looking clean. So the bytes are
   * written again, the same in the same place, which makes the pages dirty, and synced.
   */
  async #secure(from: number): Promise<void> {
    const upTo = this.look();
    const fd = openFile(this.#path, "write") ?? missing();
    try {
      // A stub in its place: all of it was merged, and so it was durable.
      if (isSameFile(fd, this.#reader)) await this.#rewrite(fd, from, upTo);
    } finally {
      closeSync(fd);
    }
    if (this.#distrusted !== undefined && this.#distrusted.end <= upTo) this.#distrusted = undefined;
    this.durable = Math.max(this.durable, upTo);
  }

  async #rewrite(fd: number, from: number, upTo: number): Promise<void> {
    for (let at = from; at < upTo; ) {
      const bytes = this.readAt(at, Math.min(REWRITE_BYTES, upTo - at));
      if (bytes.length === 0) break;
      at += writeSync(fd, bytes, 0, bytes.length, at);
    }
    await fdatasync(fd);
  }

  /** Not used any more: its descriptors are closed as soon as nothing waits for them. */
  retire(): void {
    this.#retired = true;
    if (this.#pending > 0) return;
    closeSync(this.#appender);
    closeSync(this.#reader);
  }
}

/** Says what kind of file of the log begins with `line`. */
export function checkFirstLine(line: LogLine | undefined, number: number): "segment" | "merged" {
  if (line === undefined || (line.log !== "segment" && line.log !== "merged") || line.number !== number) {
    throw damaged("the beginning of a file of the log is damaged");
  }
  return line.log;
}

function isSameFile(one: number, other: number): boolean {
  return fstatSync(one).ino === fstatSync(other).ino;
}

function missing(): never {
  throw damaged("a file of the log is missing");
}

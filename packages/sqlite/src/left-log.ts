import { realpathSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { damaged } from "./failure.ts";

/**
 * SQLite reads a write-ahead log up to the first frame that does not fit, and forgets what lies behind it: a crash leaves
 * such an end, and so does damage. This tells them apart where that can be told, before SQLite opens the files.
 *
 * A log is a header and frames (https://sqlite.org/fileformat2.html#walformat); the last frame of a commit is marked. The
 * checksum of a frame goes on from the one before, and the salts are new each time that the log begins anew. A commit is
 * synced before the next one is written. So a frame that goes on from a marked one proves that all before the two was
 * whole once: what does not fit there is damaged. A misfit without such a proof may be the last commit, which a crash cut
 * short or another process wrote over: that is SQLite's to forget.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Of every store, unless the log says otherwise. */
const PAGE_BYTES = 4096;
const CHUNK_FRAMES = 64;
/** The last bit tells the byte order of the words that are summed up: 1 is big-endian. */
const MAGIC = 0x377f0682;

interface Header {
  readonly bytes: Buffer;
  readonly salts: Buffer;
  readonly whole: boolean;
  readonly swapped: boolean;
  readonly frameBytes: number;
}

/** A running checksum: two words. */
type Sum = readonly [number, number];

/** What a frame may go on from. */
interface Link {
  /** The checksum as stored, and as the bytes have it: they differ where either is damaged. */
  readonly stored: Sum;
  readonly actual: Sum;
  readonly commits: boolean;
}

/** The first frame that does not fit, 0 for the header, and the checksum before it. */
interface Misfit {
  readonly frame: number;
  readonly before: Sum;
}

/**
 * Rejects where a database file lost all its bytes, or its log is damaged for certain. `synced`: whoever wrote the log
 * synced every commit; else a power cut may leave anything in it. Opens the log alone: no process keeps locks on it.
 */
export async function checkLeftLog(path: string, synced: boolean): Promise<void> {
  const database = sizeOf(path) === undefined ? path : realpathSync(path);
  const log = sizeOf(`${database}-wal`) ?? 0;
  const index = sizeOf(`${database}-shm`) ?? 0;
  // Looked at last: neither of the others is filled before the database has its first page.
  if (log + index > 0 && !sizeOf(database)) {
    throw damaged("the database file has no bytes, though its -wal or -shm file says that a store was there");
  }
  if (!synced || log <= HEADER_BYTES) return;
  // Where it can't be opened SQLite will say so.
  const file = await open(`${database}-wal`).catch(() => undefined);
  if (file === undefined) return;
  try {
    await checkFrames(file);
  } finally {
    await file.close();
  }
}

/** Throws for damage, but not for a log that moves meanwhile: it is not left, and was checked by whoever writes to it. */
async function checkFrames(file: FileHandle): Promise<void> {
  const header = await readHeader(file);
  const misfit = await findProvenMisfit(file, header);
  if (misfit === undefined) return;
  // All before the proof had been written when the proof was read: what still does not fit was not amid a write.
  if (misfit.frame > 0) {
    const [frame] = await readFrames(file, header, misfit.frame, 1);
    const whole = frame !== undefined && equal(sumAt(frame, 16), sumOf(frame, header, misfit.before));
    if (whole && isCurrent(frame, header.salts)) return;
  }
  // Last of all, so that the log did not begin anew while any of this was read.
  if (!(await readHeader(file)).bytes.equals(header.bytes)) return;
  throw damaged("the write-ahead log (-wal) is damaged before its last commit");
}

async function findProvenMisfit(file: FileHandle, header: Header): Promise<Misfit | undefined> {
  let last: Link = { stored: sumAt(header.bytes, 24), actual: [0, 0], commits: !header.whole };
  let misfit: Misfit | undefined = header.whole ? undefined : { frame: 0, before: [0, 0] };
  let { salts } = header;
  // Not to its end as it moves: a log that grows would be chased.
  const { size } = await file.stat();
  for (let next = 1; HEADER_BYTES + next * header.frameBytes <= size; ) {
    const frames = await readFrames(file, header, next, CHUNK_FRAMES);
    if (frames.length === 0) return undefined;
    for (const frame of frames) {
      const link = linkOf(frame, header, last.stored);
      const current = isCurrent(frame, salts);
      const fits = current && equal(link.stored, link.actual);
      const goesOn = fits || (current && equal(link.stored, sumOf(frame, header, last.actual)));
      // The header is synced before any frame is written: one that goes on from another proves it.
      if (misfit !== undefined && goesOn && (last.commits || misfit.frame === 0)) return misfit;
      if (!fits) misfit ??= { frame: next, before: last.stored };
      last = link;
      next += 1;
      // A header that is damaged can't say which frames are of its time.
      if (!header.whole) salts = frame.subarray(8, 16);
    }
  }
  return undefined;
}

async function readHeader(file: FileHandle): Promise<Header> {
  const bytes = Buffer.alloc(HEADER_BYTES);
  await file.read(bytes, 0, HEADER_BYTES, 0);
  const magic = bytes.readUInt32BE(0);
  const swapped = (magic & 1) === 1 ? endianness() === "LE" : endianness() === "BE";
  const whole = (magic & ~1) >>> 0 === MAGIC && equal(sum(bytes.subarray(0, 24), [0, 0], swapped), sumAt(bytes, 24));
  const frameBytes = FRAME_HEADER_BYTES + (whole ? bytes.readUInt32BE(8) : PAGE_BYTES);
  return { bytes, salts: bytes.subarray(16, 24), whole, swapped: whole && swapped, frameBytes };
}

/** Whole frames from number `first` on, at most `count`. */
async function readFrames(file: FileHandle, header: Header, first: number, count: number): Promise<readonly Buffer[]> {
  const { frameBytes } = header;
  const bytes = Buffer.alloc(count * frameBytes);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, HEADER_BYTES + (first - 1) * frameBytes);
  const whole = Math.floor(bytesRead / frameBytes);
  return Array.from({ length: whole }, (_, index) => bytes.subarray(index * frameBytes, (index + 1) * frameBytes));
}

function isCurrent(frame: Buffer, salts: Buffer): boolean {
  return frame.readUInt32BE(0) > 0 && frame.subarray(8, 16).equals(salts);
}

function linkOf(frame: Buffer, header: Header, before: Sum): Link {
  return { stored: sumAt(frame, 16), actual: sumOf(frame, header, before), commits: frame.readUInt32BE(4) > 0 };
}

/** Over the first two words of the frame's header, and the page. */
function sumOf(frame: Buffer, { swapped }: Header, before: Sum): Sum {
  return sum(frame.subarray(FRAME_HEADER_BYTES), sum(frame.subarray(0, 8), before, swapped), swapped);
}

function sum(bytes: Buffer, [before0, before1]: Sum, swapped: boolean): Sum {
  const { buffer, byteOffset, length } = swapped ? Buffer.from(bytes).swap32() : bytes;
  const words = new Uint32Array(buffer, byteOffset, length / 4);
  let [sum0, sum1] = [before0, before1];
  for (let at = 0; at < words.length; at += 2) {
    sum0 = (sum0 + (words[at] ?? 0) + sum1) >>> 0;
    sum1 = (sum1 + (words[at + 1] ?? 0) + sum0) >>> 0;
  }
  return [sum0, sum1];
}

function sumAt(bytes: Buffer, at: number): Sum {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function equal(one: Sum, other: Sum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

function sizeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : undefined;
}

import { crc32 } from "node:zlib";

/**
 * How everything that the engine stores begins, so that it can be told from anything else, and a whole one from a torn or
 * damaged one, without knowing what it is:
 *
 *     {"crc":"0a1b2c3d","size":"000001f4",...}
 *
 * `size` is the length of the whole in bytes, `crc` the CRC-32 of all behind its own comma; both in eight hex digits.
 * Records are lines that begin with "[", so no payload can forge a beginning at the start of a line.
 */
export const SEAL_BYTES = 36;
const CRC_AT = 8;
const CHECKED_FROM = 18;
const SIZE_AT = 26;
const CRC_PREFIX = Buffer.from('{"crc":"');
const SIZE_PREFIX = Buffer.from('","size":"');
const SIZE_SUFFIX = Buffer.from('",');

/** `rest` is what follows the seal, without the opening brace. */
export function seal(rest: string): Buffer {
  const bytes = Buffer.from(`{"crc":"00000000","size":"00000000",${rest}`);
  return sealInPlace(bytes);
}

/** What is sealed as pieces behind each other, the first of which is the line that begins with the seal. Nothing is copied. */
export function sealPieces(line: string, body: readonly Buffer[]): readonly Buffer[] {
  const first = Buffer.from(`{"crc":"00000000","size":"00000000",${line}`);
  let size = first.length;
  for (const piece of body) size += piece.length;
  first.write(hex(size), SIZE_AT, "latin1");
  let crc = crc32(first.subarray(CHECKED_FROM));
  for (const piece of body) crc = crc32(piece, crc);
  first.write(hex(crc), CRC_AT, "latin1");
  return [first, ...body];
}

/** Fills in the seal of bytes that begin with room for one. */
export function sealInPlace(bytes: Buffer): Buffer {
  CRC_PREFIX.copy(bytes, 0);
  SIZE_PREFIX.copy(bytes, CRC_AT + 8);
  bytes.write(hex(bytes.length), SIZE_AT, "latin1");
  SIZE_SUFFIX.copy(bytes, SIZE_AT + 8);
  bytes.write(hex(crc32(bytes.subarray(CHECKED_FROM))), CRC_AT, "latin1");
  return bytes;
}

/** The checksum that a sealed thing begins with. */
export function sealedCrc(bytes: Buffer, at = 0): string {
  return bytes.toString("latin1", at + CRC_AT, at + CRC_AT + 8);
}

/** The size that a sealed thing at `at` states; undefined where nothing sealed begins. Says nothing of whether it is whole. */
export function statedSize(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < SEAL_BYTES) return undefined;
  if (bytes.compare(CRC_PREFIX, 0, CRC_PREFIX.length, at, at + CRC_PREFIX.length) !== 0) return undefined;
  const sizeAt = at + CRC_AT + 8;
  if (bytes.compare(SIZE_PREFIX, 0, SIZE_PREFIX.length, sizeAt, sizeAt + SIZE_PREFIX.length) !== 0) return undefined;
  const size = Number.parseInt(bytes.toString("latin1", at + SIZE_AT, at + SIZE_AT + 8), 16);
  return size >= SEAL_BYTES ? size : undefined;
}

/** The size of what is sealed at `at`, if it is there to its end and is what was sealed; undefined: it is not. */
export function wholeSize(bytes: Buffer, at: number): number | undefined {
  const size = statedSize(bytes, at);
  if (size === undefined || size > bytes.length - at) return undefined;
  const stated = Number.parseInt(sealedCrc(bytes, at), 16);
  return stated === crc32(bytes.subarray(at + CHECKED_FROM, at + size)) ? size : undefined;
}

/** Whether something sealed begins at `at`, is there to its end, and is what was sealed. */
export function isWhole(bytes: Buffer, at: number): boolean {
  return wholeSize(bytes, at) !== undefined;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

import { isWhole, SEAL_BYTES, seal, statedSize } from "@holdfast/core/log";

/**
 * What stands in a file of the log: blocks, which are the engine's business, and lines of the log's own. All of them begin
 * with a seal: their checksum and size. Between them stands white space.
 *
 *     {"crc":...,"size":...,"log":"segment","number":n,"format":1}      first in each file
 *     {"crc":...,"size":...,"log":"next","number":n+1}                  the log goes on in that file; what follows is void
 *     {"crc":...,"size":...,"log":"sync failed","from":byte}            what lies between there and here may not be on disk
 *     {"crc":...,"size":...,"log":"merged","number":n,"end":byte}       all that is left of a file whose blocks were merged
 */
export type LogLine =
  | { readonly log: "segment"; readonly number: number; readonly format: number }
  | { readonly log: "next"; readonly number: number }
  | { readonly log: "sync failed"; readonly from: number }
  | { readonly log: "merged"; readonly number: number; readonly end: number };

/** How the log's own lines go on behind the seal. */
const LOG_LINE = Buffer.from('"log":');
const LINE_BEGINNING = Buffer.from('\n{"crc":"');

/**
 * Written in front of every block and line: what was torn before stays torn. A line feed alone would make a block whole
 * that lacks just its last byte, after its writer was told that it is not written.
 */
export const SEPARATOR = Buffer.from(" \n");

export function encodeLine(line: LogLine): Buffer {
  return seal(`${JSON.stringify(line).slice(1)}\n`);
}

/** undefined: what is sealed here is no line of the log's own. */
export function decodeLine(bytes: Buffer): LogLine | undefined {
  if (bytes.compare(LOG_LINE, 0, LOG_LINE.length, SEAL_BYTES, SEAL_BYTES + LOG_LINE.length) !== 0) return undefined;
  return JSON.parse(bytes.toString("utf8")) as LogLine;
}

/** What is sealed and whole at the beginning of `bytes`; undefined where nothing is. */
export function wholeAt(bytes: Buffer, at = 0): Buffer | undefined {
  const size = statedSize(bytes, at);
  return size !== undefined && isWhole(bytes, at) ? bytes.subarray(at, at + size) : undefined;
}

/** The next place from `from` on where something sealed may begin; -1: none. */
export function nextBeginning(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(LINE_BEGINNING, from);
  return found < 0 ? -1 : found + 1;
}

export { SEAL_BYTES, statedSize };
/** How much of the end of a stretch may hold a beginning that is cut off. */
export const BEGINNING_BYTES = LINE_BEGINNING.length;

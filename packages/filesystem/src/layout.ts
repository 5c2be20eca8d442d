import type { Position } from "@holdfast/core/log";

/**
 * What lies where in a store's folder. Every name is ours: no name of a stream or a persistence id ever becomes part of a
 * path.
 */
export const README_FILE = "README.txt";
export const STORE_FILE = "store.json";
export const MARK_FILE = "mark";
export const LOG_FOLDER = "log";
export const SEGMENT_FOLDER = "segments";
export const CHECKPOINT_FOLDER = "checkpoints";
export const TEMPORARY_FOLDER = "tmp";
export const FOLDERS = [TEMPORARY_FOLDER, LOG_FOLDER, SEGMENT_FOLDER, CHECKPOINT_FOLDER] as const;

/** The one format that this version writes and reads. */
export const FORMAT = 1;
export const FIRST_SEGMENT = 1;

/** A position is the number of a file of the log, and a byte in it. */
const FILE_SPAN = 2 ** 32;

export function positionOf(segment: number, offset: number): Position {
  return segment * FILE_SPAN + offset;
}

export function segmentOf(position: Position): number {
  return Math.floor(position / FILE_SPAN);
}

export function offsetOf(position: Position): number {
  return position % FILE_SPAN;
}

/** The file of the log with this number: names sort in the order of the log. */
export function logFileName(segment: number): string {
  return `${String(segment).padStart(12, "0")}.jsonl`;
}

/** undefined: not a file of the log. */
export function logFileNumber(name: string): number | undefined {
  return /^\d{12}\.jsonl$/.test(name) ? Number(name.slice(0, 12)) : undefined;
}

import { DriverFailure } from "../driver/driver-failure.ts";
import { asBuffer } from "./block.ts";
import type { Position, Witness } from "./commit-log.ts";
import { Rows } from "./rows.ts";
import { sealPieces, wholeSize } from "./seal.ts";

/**
 * The stored form of a checkpoint: where everything in front of `position` is, as lines of JSON.
 *
 *     {"crc":...,"size":...,"checkpoint":1,"position":p,"last":[position,chain],"nextGlobal":g,
 *      "segments":[[name,bytes,to,nextGlobal],...],"retired":[[name,atMs],...],"streams":n,"states":m}
 *     [stream,next offset,first offset,segment,at,bytes,count,segment,at,bytes,count,...]             n lines
 *     [persistence id,revision,live,segment,at,bytes,receipts,segment,at,bytes,receipts,...]          m lines
 *
 * Rows are sorted by the bytes of their names as JSON. `segment` counts the segments from 0; `at` and `bytes` are where
 * a group lies in it (segment.ts). A stream's groups are the newest ones, oldest first, from `first offset` on: an
 * older one is named by the first of these. A state's are newest first, until they hold nine receipts.
 */
const CHECKPOINT_VERSION = 1;

/** A merged segment. The first begins with global offset 0, each other where the one before it ends. */
export interface SegmentInfo {
  readonly name: string;
  readonly bytes: number;
  /** It holds what the blocks in front of this position, and behind the segment before, wrote. */
  readonly to: Position;
  readonly nextGlobal: number;
}

/** Where a group lies: a stream's messages that follow each other, or a state. */
export interface Extent {
  /** Index of the segment. */
  readonly segment: number;
  readonly at: number;
  readonly bytes: number;
  /** Of messages, or of receipts. */
  readonly count: number;
}

export interface MergedStream {
  readonly stream: string;
  readonly nextOffset: number;
  /** The offset of the first message of `extents`. */
  readonly firstOffset: number;
  readonly extents: readonly Extent[];
}

export interface MergedState {
  readonly persistenceId: string;
  readonly revision: number;
  readonly live: boolean;
  readonly extents: readonly Extent[];
}

export interface Checkpoint {
  /** Where the log goes on. */
  readonly position: Position;
  /** The last block in front of it. */
  readonly last: Witness | undefined;
  readonly nextGlobal: number;
  readonly segments: readonly SegmentInfo[];
  /** Segments that earlier checkpoints named, and since when none does. */
  readonly retired: readonly { readonly name: string; readonly atMs: number }[];
  readonly streams: Rows;
  readonly states: Rows;
}

const NO_ROWS = Rows.of(Buffer.alloc(0), 0, 0);

/** Of a log in which nothing was merged yet. */
export function emptyCheckpoint(start: Position): Checkpoint {
  return {
    position: start,
    last: undefined,
    nextGlobal: 0,
    segments: [],
    retired: [],
    streams: NO_ROWS,
    states: NO_ROWS,
  };
}

export function parseStream(row: readonly (string | number)[]): MergedStream {
  const [stream, nextOffset, firstOffset] = row as [string, number, number];
  return { stream, nextOffset, firstOffset, extents: parseExtents(row, 3) };
}

export function parseState(row: readonly (string | number)[]): MergedState {
  const [persistenceId, revision, live] = row as [string, number, number];
  return { persistenceId, revision, live: live === 1, extents: parseExtents(row, 3) };
}

export function streamLine(row: MergedStream): string {
  return `${JSON.stringify([row.stream, row.nextOffset, row.firstOffset, ...flatExtents(row.extents)])}\n`;
}

export function stateLine(row: MergedState): string {
  return `${JSON.stringify([row.persistenceId, row.revision, row.live ? 1 : 0, ...flatExtents(row.extents)])}\n`;
}

export function parseExtents(numbers: readonly (string | number)[], from: number): readonly Extent[] {
  const extents: Extent[] = [];
  for (let index = from; index + 3 < numbers.length; index += 4) {
    const [segment = 0, at = 0, bytes = 0, count = 0] = numbers.slice(index, index + 4) as number[];
    extents.push({ segment, at, bytes, count });
  }
  return extents;
}

export function flatExtents(extents: readonly Extent[]): readonly number[] {
  return extents.flatMap(({ segment, at, bytes, count }) => [segment, at, bytes, count]);
}

/** A table as it is to be written: stretches of lines that stay, and new ones. */
export interface Lines {
  readonly count: number;
  readonly pieces: readonly Buffer[];
}

/** Rows are sorted by name. */
export function encodeCheckpoint(head: Omit<Checkpoint, "streams" | "states">, streams: Lines, states: Lines): Buffer {
  const { position, last, nextGlobal, segments, retired } = head;
  const header = {
    checkpoint: CHECKPOINT_VERSION,
    position,
    last: last === undefined ? 0 : [last.position, last.chain],
    nextGlobal,
    segments: segments.map((segment) => [segment.name, segment.bytes, segment.to, segment.nextGlobal]),
    retired: retired.map(({ name, atMs }) => [name, atMs]),
    streams: streams.count,
    states: states.count,
  };
  return Buffer.concat(sealPieces(`${JSON.stringify(header).slice(1)}\n`, [...streams.pieces, ...states.pieces]));
}

/** undefined: damaged. Throws DriverFailure "unsupported" for a newer version. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  const buffer = asBuffer(bytes);
  if (wholeSize(buffer, 0) !== buffer.length) return undefined;
  const bodyAt = buffer.indexOf(LINE_FEED) + 1;
  const header = JSON.parse(buffer.toString("utf8", 0, bodyAt)) as Header;
  if (header.checkpoint !== CHECKPOINT_VERSION) {
    throw new DriverFailure("unsupported", "the checkpoint is of a newer format: open the store with a newer version");
  }
  const streams = Rows.of(buffer, bodyAt, header.streams);
  return {
    position: header.position,
    last: header.last === 0 ? undefined : { position: header.last[0], chain: header.last[1] },
    nextGlobal: header.nextGlobal,
    segments: header.segments.map(([name, size, to, nextGlobal]) => ({ name, bytes: size, to, nextGlobal })),
    retired: header.retired.map(([name, atMs]) => ({ name, atMs })),
    streams,
    states: Rows.of(buffer, streams.end, header.states),
  };
}

const LINE_FEED = 10;

interface Header {
  readonly checkpoint: number;
  readonly position: Position;
  readonly last: readonly [Position, number] | 0;
  readonly nextGlobal: number;
  readonly segments: readonly (readonly [string, number, Position, number])[];
  readonly retired: readonly (readonly [string, number])[];
  readonly streams: number;
  readonly states: number;
}

import { asBuffer } from "./block.ts";
import {
  type Checkpoint,
  decodeCheckpoint,
  type Extent,
  emptyCheckpoint,
  encodeCheckpoint,
  type MergedState,
  type MergedStream,
  type SegmentInfo,
  stateLine,
  streamLine,
} from "./checkpoint.ts";
import type { Archive } from "./commit-log.ts";
import { changedLines, KEPT_RECEIPTS } from "./merge.ts";
import { sortedByName } from "./rows.ts";
import { statedSize } from "./seal.ts";
import { damagedSegment, groupsOf, parseSegmentHeader, type SegmentHeader } from "./segment.ts";

/** Enough for a header with hundreds of segments in its list. */
const HEADER_BYTES = 64 * 1024;

/** Makes a lost checkpoint again, from the segments themselves; undefined where there are none. */
export async function rebuildCheckpoint(archive: Archive): Promise<Buffer | undefined> {
  const newest = await newestSegment(archive);
  if (newest === undefined) return undefined;
  const segments = [...newest.header.base, newest.info];
  const streams = new Map<string, MergedStream>();
  const states = new Map<string, MergedState>();
  for (const [index, info] of segments.entries()) {
    const bytes = await archive.readSegment(info.name, 0, info.bytes);
    if (bytes === undefined) throw damagedSegment();
    takeSegment(asBuffer(bytes), index, streams, states);
  }
  const { to: position, last, nextGlobal } = newest.header;
  const { streams: none } = emptyCheckpoint(position);
  return encodeCheckpoint(
    { position, last, nextGlobal, segments, retired: [] },
    changedLines(none, new Map(sortedByName(streams)), streamLine),
    changedLines(none, new Map(sortedByName(states)), stateLine),
  );
}

/** As the merger left it: a group that carries a list of older ones begins the stream's list anew. */
function takeSegment(
  bytes: Buffer,
  segment: number,
  streams: Map<string, MergedStream>,
  states: Map<string, MergedState>,
): void {
  const header = parseSegmentHeader(bytes);
  if (header === undefined) throw damagedSegment();
  for (const group of groupsOf(bytes, header)) {
    const place = { segment, at: group.at, bytes: group.size };
    if (group.kind === "stream") {
      const { stream, offset, back } = group;
      let count = 0;
      for (let index = 1; index < group.globals.length; index += 2) count += group.globals[index] ?? 0;
      const known = back === undefined ? streams.get(stream) : undefined;
      const extents = [...(known?.extents ?? []), { ...place, count }];
      const firstOffset = known?.firstOffset ?? offset;
      streams.set(stream, { stream, nextOffset: offset + count, firstOffset, extents });
    } else {
      const { persistenceId, revision, live, body } = group;
      const older = states.get(persistenceId)?.extents ?? [];
      const extents = newestFirst({ ...place, count: linesIn(body) - 1 }, older);
      states.set(persistenceId, { persistenceId, revision, live, extents });
    }
  }
}

/** The segment that reaches furthest, of those whose predecessors are all there. */
async function newestSegment(
  archive: Archive,
): Promise<{ readonly info: SegmentInfo; readonly header: SegmentHeader } | undefined> {
  const names = await archive.listSegments();
  const there = new Set(names);
  let newest: { readonly info: SegmentInfo; readonly header: SegmentHeader } | undefined;
  for (const name of names) {
    const header = await readHeader(archive, name);
    if (header === undefined || !header.base.every((segment) => there.has(segment.name))) continue;
    if (newest !== undefined && header.to <= newest.header.to) continue;
    newest = { info: { name, bytes: header.bytes, to: header.to, nextGlobal: header.nextGlobal }, header };
  }
  return newest;
}

async function readHeader(archive: Archive, name: string): Promise<SegmentHeader | undefined> {
  const begin = await archive.readSegment(name, 0, HEADER_BYTES);
  if (begin === undefined) return undefined;
  const size = statedSize(asBuffer(begin), 0) ?? 0;
  const bytes = size > begin.length ? await archive.readSegment(name, 0, size) : begin;
  return bytes === undefined ? undefined : parseSegmentHeader(asBuffer(bytes).subarray(0, size));
}

function newestFirst(newest: Extent, older: readonly Extent[]): readonly Extent[] {
  const extents = [newest];
  let receipts = newest.count;
  for (const extent of older) {
    if (receipts >= KEPT_RECEIPTS) break;
    extents.push(extent);
    receipts += extent.count;
  }
  return extents;
}

function linesIn(body: Buffer): number {
  let lines = 0;
  for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** A checkpoint that was made again, as one reads it. */
export function reread(bytes: Buffer): Checkpoint {
  const checkpoint = decodeCheckpoint(bytes);
  if (checkpoint === undefined) throw damagedSegment();
  return checkpoint;
}

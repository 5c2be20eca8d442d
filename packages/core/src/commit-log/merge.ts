import {
  type Checkpoint,
  type Extent,
  encodeCheckpoint,
  type Lines,
  type MergedState,
  type MergedStream,
  parseState,
  parseStream,
  type SegmentInfo,
  stateLine,
  streamLine,
} from "./checkpoint.ts";
import type { Position, Witness } from "./commit-log.ts";
import {
  chunks,
  countOf,
  gather,
  joinGlobals,
  type MergeSource,
  type Piece,
  type Sources,
  type StatePiece,
} from "./pieces.ts";
import { type Rows, sortedByName } from "./rows.ts";
import { type Back, encodeSegmentHeader, encodeStateGroup, encodeStreamGroup } from "./segment.ts";

/** So many groups of a stream a checkpoint knows; then the next group names them. */
const MAX_EXTENTS = 32;
/** W-3: the revision that is now, and the eight before it. */
export const KEPT_RECEIPTS = 9;
/** The event loop gets a turn after so many groups. */
const GROUPS_A_TURN = 256;

/** What is merged, and over what. */
export interface MergeInput extends MergeSource {
  readonly checkpoint: Checkpoint;
  /** Where the log goes on behind what is merged. */
  readonly to: Position;
  readonly last: Witness | undefined;
  readonly nextGlobal: number;
  /** The new segment's. */
  readonly name: string;
  readonly nowMs: number;
  readonly retired: Checkpoint["retired"];
}

export interface Merged {
  /** Its pieces, behind each other: they lie in what was read, which is not copied. */
  readonly segment: readonly Buffer[];
  readonly checkpoint: Buffer;
}

/** Makes one segment of what is to be merged, and the checkpoint that names it. Nothing is written here. */
export async function merge(input: MergeInput): Promise<Merged> {
  const { checkpoint, kept, to, last, nextGlobal } = input;
  const sources = gather(input);
  const base = checkpoint.segments.slice(0, kept);
  const pieces: Buffer[] = [];
  const streams = new Map<string, MergedStream>();
  const states = new Map<string, MergedState>();
  const range = { from: base.at(-1)?.to ?? 0, to, last, nextGlobal, base };
  const headerBytes = encodeSegmentHeader(range, 0).length;
  let at = headerBytes;
  const write = (group: readonly Buffer[], count: number): Extent => {
    const bytes = group.reduce((sum, piece) => sum + piece.length, 0);
    const extent = { segment: kept, at, bytes, count };
    for (const piece of group) pieces.push(piece);
    at += bytes;
    return extent;
  };
  for (const [stream, parts] of sortedByName(sources.streams)) {
    const row = checkpoint.streams.find(stream);
    const before = row === undefined ? NOTHING_BEFORE : keptExtents(parseStream(row), sources, kept);
    streams.set(stream, writeStream(stream, parts, before, write));
    if (streams.size % GROUPS_A_TURN === 0) await turn();
  }
  for (const [persistenceId, parts] of sortedByName(sources.states)) {
    const row = checkpoint.states.find(persistenceId);
    const before = row === undefined ? [] : parseState(row).extents.filter(({ segment }) => segment < kept);
    states.set(persistenceId, writeState(persistenceId, parts, before, write));
    if (states.size % GROUPS_A_TURN === 0) await turn();
  }
  const segment = [encodeSegmentHeader(range, at - headerBytes), ...pieces];
  const info: SegmentInfo = { name: input.name, bytes: at, to, nextGlobal };
  const retired = [
    ...input.retired,
    ...checkpoint.segments.slice(kept).map(({ name }) => ({ name, atMs: input.nowMs })),
  ];
  const streamLines = changedLines(checkpoint.streams, streams, streamLine);
  const stateLines = changedLines(checkpoint.states, states, stateLine);
  const head = { position: to, last, nextGlobal, segments: [...base, info], retired };
  return { segment, checkpoint: encodeCheckpoint(head, streamLines, stateLines) };
}

function writeStream(
  stream: string,
  pieces: readonly Piece[],
  before: Back,
  write: (group: readonly Buffer[], count: number) => Extent,
): MergedStream {
  let { firstOffset, extents } = before;
  let nextOffset = 0;
  for (const group of chunks(pieces)) {
    const offset = group[0]?.offset ?? 0;
    const globals = joinGlobals(group);
    const count = countOf(globals);
    const back = extents.length >= MAX_EXTENTS ? { firstOffset, extents } : undefined;
    const bytes = encodeStreamGroup(
      { stream, offset, globals, back },
      group.map(({ body }) => body),
    );
    const extent = write(bytes, count);
    if (extents.length === 0 || back !== undefined) firstOffset = offset;
    extents = back === undefined ? [...extents, extent] : [extent];
    nextOffset = offset + count;
  }
  return { stream, nextOffset, firstOffset, extents };
}

function writeState(
  persistenceId: string,
  pieces: readonly StatePiece[],
  before: readonly Extent[],
  write: (group: readonly Buffer[], count: number) => Extent,
): MergedState {
  const newest = pieces.at(-1);
  if (newest === undefined) throw new RangeError("a state that is merged has a revision");
  const { revision, live, record } = newest;
  const receipts = pieces
    .toReversed()
    .flatMap((piece) => piece.receipts)
    .slice(0, KEPT_RECEIPTS);
  const bytes = encodeStateGroup({ persistenceId, revision, live }, [record, ...receipts]);
  const extents = [write(bytes, receipts.length)];
  let count = receipts.length;
  for (const extent of before) {
    if (count >= KEPT_RECEIPTS) break;
    extents.push(extent);
    count += extent.count;
  }
  return { persistenceId, revision, live, extents };
}

const NOTHING_BEFORE: Back = { firstOffset: 0, extents: [] };

/** A stream's groups in the segments that stay. Where its list begins with an absorbed group, that group names the older ones. */
function keptExtents(row: MergedStream, { backs }: Sources, kept: number): Back {
  let { firstOffset, extents } = row;
  for (;;) {
    const [first] = extents;
    const back = first && first.segment >= kept ? backs.get(`${first.segment} ${first.at}`) : undefined;
    if (back === undefined) return { firstOffset, extents: extents.filter(({ segment }) => segment < kept) };
    firstOffset = back.firstOffset;
    extents = [...back.extents, ...extents];
  }
}

/** The lines of a table, with those of changed and new rows in their places. `changed` is sorted by name. */
export function changedLines<R>(rows: Rows, changed: ReadonlyMap<string, R>, toLine: (row: R) => string): Lines {
  const pieces: Buffer[] = [];
  let count = rows.length;
  let next = 0;
  for (const [name, row] of changed) {
    const { index, found } = rows.search(name);
    pieces.push(rows.slice(next, index), Buffer.from(toLine(row)));
    next = found ? index + 1 : index;
    if (!found) count += 1;
  }
  return { count, pieces: [...pieces, rows.slice(next, rows.length)] };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

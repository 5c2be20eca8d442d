import type { Position } from "./commit-log.ts";
import type { Run, StateRun } from "./heads.ts";
import { type Back, cutLines, damagedSegment, groupsOf, parseSegmentHeader, type StateGroup } from "./segment.ts";

/** A group is read whole, to be checked: so much is one read. */
const MAX_GROUP_BYTES = 1024 * 1024;

/** What is merged: segments at the end of a checkpoint's list, and what was applied since. */
export interface MergeSource {
  /** The segments from index `kept` on. */
  readonly absorbed: readonly Buffer[];
  readonly kept: number;
  readonly runs: readonly Run[];
  readonly stateRuns: readonly StateRun[];
  /** The blocks in which the runs lie, by position. */
  readonly blocks: ReadonlyMap<Position, Buffer>;
}

/** A stretch of a stream's messages, from a segment or from the log. */
export interface Piece {
  readonly offset: number;
  readonly globals: readonly number[];
  readonly body: Buffer;
}

export interface StatePiece {
  readonly revision: number;
  readonly live: boolean;
  readonly record: Buffer;
  /** Newest first. */
  readonly receipts: readonly Buffer[];
}

export interface Sources {
  readonly streams: ReadonlyMap<string, readonly Piece[]>;
  readonly states: ReadonlyMap<string, readonly StatePiece[]>;
  /** The lists that absorbed groups carry, by where the groups lie. */
  readonly backs: ReadonlyMap<string, Back>;
}

/** Everything that goes into the segment, by stream and by state, oldest first. */
export function gather(input: MergeSource): Sources {
  const streams = new Map<string, Piece[]>();
  const states = new Map<string, StatePiece[]>();
  const backs = new Map<string, Back>();
  for (const [index, bytes] of input.absorbed.entries()) {
    const header = parseSegmentHeader(bytes);
    if (header === undefined) throw damagedSegment();
    for (const group of groupsOf(bytes, header)) {
      if (group.kind === "state") {
        add(states, group.persistenceId, statePiece(group));
        continue;
      }
      add(streams, group.stream, group);
      if (group.back !== undefined) backs.set(`${input.kept + index} ${group.at}`, group.back);
    }
  }
  for (const run of input.runs) {
    add(streams, run.stream, { offset: run.offset, globals: [run.global, run.count], body: bytesOf(input, run) });
  }
  for (const run of input.stateRuns) {
    const [record, receipt] = cutLines(bytesOf(input, run), 1);
    add(states, run.persistenceId, { revision: run.revision, live: run.live, record, receipts: [receipt] });
  }
  return { streams, states, backs };
}

function statePiece(group: StateGroup): StatePiece {
  const [record, rest] = cutLines(group.body, 1);
  const receipts: Buffer[] = [];
  for (let left = rest; left.length > 0; ) {
    const [receipt, others] = cutLines(left, 1);
    receipts.push(receipt);
    left = others;
  }
  return { revision: group.revision, live: group.live, record, receipts };
}

/** Pieces put together until a group is large enough. */
export function* chunks(pieces: readonly Piece[]): Generator<readonly Piece[]> {
  let group: Piece[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    if (group.length > 0 && bytes + piece.body.length > MAX_GROUP_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(piece);
    bytes += piece.body.length;
  }
  if (group.length > 0) yield group;
}

export function joinGlobals(pieces: readonly Piece[]): readonly number[] {
  const joined: number[] = [];
  for (const { globals } of pieces) {
    for (let index = 0; index < globals.length; index += 2) {
      const [first = 0, count = 0] = globals.slice(index, index + 2);
      const lastFirst = joined.at(-2);
      const lastCount = joined.at(-1);
      if (lastFirst !== undefined && lastCount !== undefined && lastFirst + lastCount === first) {
        joined[joined.length - 1] = lastCount + count;
      } else joined.push(first, count);
    }
  }
  return joined;
}

export function countOf(globals: readonly number[]): number {
  let count = 0;
  for (let index = 1; index < globals.length; index += 2) count += globals[index] ?? 0;
  return count;
}

function bytesOf(input: MergeSource, run: Run | StateRun): Buffer {
  const block = input.blocks.get(run.position);
  if (block === undefined) throw new RangeError("every run lies in a block that was read");
  return block.subarray(run.at, run.at + run.bytes);
}

function add<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

import type { StoredMessage } from "../driver/store-driver.ts";
import { asBuffer } from "./block.ts";
import type { Checkpoint, Extent, MergedStream, SegmentInfo } from "./checkpoint.ts";
import type { Archive } from "./commit-log.ts";
import { Moved } from "./moved.ts";
import {
  damagedSegment,
  groupsOf,
  linesOf,
  parseGroup,
  parseSegmentHeader,
  type StateGroup,
  type StreamGroup,
} from "./segment.ts";

/** Groups and segments that were read last are kept, up to so many bytes: a reader comes back for the next page. */
const CACHED_GROUP_BYTES = 2 * 1024 * 1024;
const CACHED_SEGMENT_BYTES = 8 * 1024 * 1024;
const CACHED_LISTS = 64;

/** Messages of a segment in their global order: `first` is the global offset of the first of them. */
export interface OrderedSegment {
  readonly first: number;
  message(globalOffset: number): StoredMessage | undefined;
}

/** Reads merged segments, by the checkpoint that names them. */
export class Segments {
  readonly #archive: Archive | undefined;
  readonly #groups = new ByteCache<StreamGroup | StateGroup>(CACHED_GROUP_BYTES);
  readonly #ordered = new ByteCache<OrderedSegment>(CACHED_SEGMENT_BYTES);
  /** Older groups of streams that were read from the beginning, by where their newer ones begin. */
  readonly #older = new Map<string, readonly PlacedExtent[]>();

  constructor(archive: Archive | undefined) {
    this.#archive = archive;
  }

  async streamGroup(checkpoint: Checkpoint, extent: Extent): Promise<StreamGroup> {
    const group = await this.#group(checkpoint, extent);
    if (group.kind !== "stream") throw damagedSegment();
    return group;
  }

  async stateGroup(checkpoint: Checkpoint, extent: Extent): Promise<StateGroup> {
    const group = await this.#group(checkpoint, extent);
    if (group.kind !== "state") throw damagedSegment();
    return group;
  }

  /** Where a stream's messages from `offset` on lie, in order, each group with its first offset. */
  async extentsFrom(checkpoint: Checkpoint, row: MergedStream, offset: number): Promise<readonly PlacedExtent[]> {
    let placed = place(row.extents, row.firstOffset);
    while ((placed[0]?.offset ?? 0) > offset) {
      const [first] = placed;
      if (first === undefined) break;
      const older = await this.#olderThan(checkpoint, first);
      if (older.length === 0) throw damagedSegment();
      placed = [...older, ...placed];
    }
    return placed.filter((extent) => extent.offset + extent.count > offset);
  }

  /** A whole segment, in global order. */
  async ordered(checkpoint: Checkpoint, index: number): Promise<OrderedSegment> {
    const info = segmentAt(checkpoint, index);
    const cached = this.#ordered.get(info.name);
    if (cached !== undefined) return cached;
    const bytes = await this.#read(info, 0, info.bytes);
    const ordered = inGlobalOrder(bytes, checkpoint.segments[index - 1]?.nextGlobal ?? 0, info.nextGlobal);
    this.#ordered.set(info.name, ordered, bytes.length);
    return ordered;
  }

  /** Bytes of a whole segment, for merging. */
  whole(checkpoint: Checkpoint, index: number): Promise<Buffer> {
    const info = segmentAt(checkpoint, index);
    return this.#read(info, 0, info.bytes);
  }

  async #group(checkpoint: Checkpoint, extent: Extent): Promise<StreamGroup | StateGroup> {
    const info = segmentAt(checkpoint, extent.segment);
    const key = `${info.name} ${extent.at}`;
    const cached = this.#groups.get(key);
    if (cached !== undefined) return cached;
    const bytes = await this.#read(info, extent.at, extent.bytes);
    const group = parseGroup(bytes, 0);
    if (group === undefined || group.size !== extent.bytes) throw damagedSegment();
    this.#groups.set(key, group, extent.bytes);
    return group;
  }

  async #olderThan(checkpoint: Checkpoint, first: PlacedExtent): Promise<readonly PlacedExtent[]> {
    const key = `${segmentAt(checkpoint, first.segment).name} ${first.at}`;
    const known = this.#older.get(key);
    if (known !== undefined) return known;
    const { back } = await this.streamGroup(checkpoint, first);
    const older = back === undefined ? [] : place(back.extents, back.firstOffset);
    if (this.#older.size === CACHED_LISTS) this.#older.clear();
    this.#older.set(key, older);
    return older;
  }

  async #read(info: SegmentInfo, at: number, bytes: number): Promise<Buffer> {
    const read = await this.#archive?.readSegment(info.name, at, bytes);
    if (read === undefined) throw new Moved(`a merged segment is missing`);
    if (read.length !== bytes) throw damagedSegment();
    return asBuffer(read);
  }
}

/** A group of messages, and the offset of its first. */
export interface PlacedExtent extends Extent {
  readonly offset: number;
}

function place(extents: readonly Extent[], firstOffset: number): readonly PlacedExtent[] {
  let offset = firstOffset;
  return extents.map((extent) => {
    const placed = { ...extent, offset };
    offset += extent.count;
    return placed;
  });
}

function segmentAt(checkpoint: Checkpoint, index: number): SegmentInfo {
  const info = checkpoint.segments[index];
  if (info === undefined) throw damagedSegment();
  return info;
}

/** Sorted out once for all readers: a segment lies by stream, and is read by global offset. */
function inGlobalOrder(bytes: Buffer, first: number, next: number): OrderedSegment {
  const header = parseSegmentHeader(bytes);
  if (header === undefined) throw damagedSegment();
  const groups: StreamGroup[] = [];
  const groupOf = new Uint32Array(next - first);
  const indexInGroup = new Uint32Array(next - first);
  const lineAt = new Uint32Array(next - first);
  let found = 0;
  for (const group of groupsOf(bytes, header)) {
    if (group.kind !== "stream") continue;
    let at = 0;
    let index = 0;
    for (let pair = 0; pair < group.globals.length; pair += 2) {
      const [from = 0, count = 0] = group.globals.slice(pair, pair + 2);
      for (let global = from - first; global < from - first + count; global++) {
        groupOf[global] = groups.length;
        indexInGroup[global] = index;
        lineAt[global] = at;
        at = group.body.indexOf(10, at) + 1;
        index += 1;
      }
    }
    found += index;
    groups.push(group);
  }
  if (found !== next - first) throw damagedSegment();
  return {
    first,
    message(globalOffset) {
      const place = globalOffset - first;
      const group = groups[groupOf[place] ?? 0];
      const at = lineAt[place];
      const index = indexInGroup[place];
      if (group === undefined || at === undefined || index === undefined) return undefined;
      const record = group.body.toString("utf8", at, group.body.indexOf(10, at));
      return { stream: group.stream, offset: group.offset + index, globalOffset, record };
    },
  };
}

/** The messages of a group from `offset` on. */
export function* messagesOf(group: StreamGroup, offset: number): Generator<StoredMessage> {
  const skip = Math.max(0, offset - group.offset);
  const lines = linesOf(group.body, skip);
  let index = 0;
  for (let pair = 0; pair < group.globals.length; pair += 2) {
    const [from = 0, count = 0] = group.globals.slice(pair, pair + 2);
    for (let ordinal = 0; ordinal < count; ordinal++, index++) {
      if (index < skip) continue;
      const { value: record } = lines.next();
      if (typeof record !== "string") throw damagedSegment();
      yield { stream: group.stream, offset: group.offset + index, globalOffset: from + ordinal, record };
    }
  }
}

/** What was used last, up to so many bytes; the newest is always kept. */
class ByteCache<V> {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, bytes: number): void {
    this.#bytes += bytes - (this.#entries.get(key)?.bytes ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, bytes });
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes || oldest === key) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

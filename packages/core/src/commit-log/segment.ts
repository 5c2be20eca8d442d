import { DriverFailure } from "../driver/driver-failure.ts";
import { type Extent, flatExtents, parseExtents, type SegmentInfo } from "./checkpoint.ts";
import type { Position, Witness } from "./commit-log.ts";
import { seal, sealPieces, statedSize, wholeSize } from "./seal.ts";

/**
 * The stored form of a merged segment: what the blocks of a stretch of the log wrote, sorted by stream, as lines of JSON.
 * It never changes. Refused commits and superseded states have fallen away.
 *
 *     {"crc":...,"size":...,"segment":1,"bytes":n,"from":p,"to":p,"last":[position,chain],"nextGlobal":g,"base":[...]}
 *     {"crc":...,"size":...,"stream":name,"offset":o,"globals":[g,count,...]}           a group: messages in a row
 *     record
 *     ...
 *     {"crc":...,"size":...,"state":id,"revision":r,"live":1}                            a group: a state
 *     record
 *     receipt                              of this revision, of the one before, ...: nine, or those of this stretch
 *     ...
 *
 * Each header's `size` counts the lines that belong to it, so a group is checked as it is read. `base` lists the segments
 * before it, as the checkpoint does: from the last segment a lost checkpoint is made again. A group may carry
 * `"back":[first offset,segment,at,bytes,count,...]`: the groups of its stream before it, the first of which may carry
 * one too. So the checkpoint needs to know only a stream's newest groups.
 */
const SEGMENT_VERSION = 1;
const LINE_FEED = 10;

export interface SegmentHeader {
  readonly bytes: number;
  readonly from: Position;
  readonly to: Position;
  readonly last: Witness | undefined;
  readonly nextGlobal: number;
  readonly base: readonly SegmentInfo[];
  /** Where the first group begins. */
  readonly size: number;
}

/** The groups of a stream in front of one of its groups, oldest first. */
export interface Back {
  readonly firstOffset: number;
  readonly extents: readonly Extent[];
}

export interface StreamGroup {
  readonly kind: "stream";
  readonly stream: string;
  readonly offset: number;
  /** Global offsets, and how many follow each in a row. */
  readonly globals: readonly number[];
  readonly back: Back | undefined;
  readonly body: Buffer;
  readonly at: number;
  readonly size: number;
}

export interface StateGroup {
  readonly kind: "state";
  readonly persistenceId: string;
  readonly revision: number;
  readonly live: boolean;
  readonly body: Buffer;
  readonly at: number;
  readonly size: number;
}

export function encodeSegmentHeader(header: Omit<SegmentHeader, "size" | "bytes">, groupBytes: number): Buffer {
  const { from, to, last, nextGlobal, base } = header;
  const encode = (bytes: number) => {
    const fields = {
      segment: SEGMENT_VERSION,
      // Padded, so that its own length does not depend on it.
      bytes: String(bytes).padStart(12, "0"),
      from,
      to,
      last: last === undefined ? 0 : [last.position, last.chain],
      nextGlobal,
      base: base.map((segment) => [segment.name, segment.bytes, segment.to, segment.nextGlobal]),
    };
    return seal(`${JSON.stringify(fields).slice(1)}\n`);
  };
  return encode(groupBytes + encode(0).length);
}

/** undefined: damaged, or no segment. `bytes` hold at least the header. */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  const header = parseHeader(bytes, 0)?.fields;
  if (header?.["segment"] === undefined) return undefined;
  if (header["segment"] !== SEGMENT_VERSION) {
    throw new DriverFailure("unsupported", "a segment is of a newer format: open the store with a newer version");
  }
  const last = header["last"] as readonly [number, number] | 0;
  const base = header["base"] as readonly (readonly [string, number, number, number])[];
  return {
    bytes: Number(header["bytes"]),
    from: header["from"] as number,
    to: header["to"] as number,
    last: last === 0 ? undefined : { position: last[0], chain: last[1] },
    nextGlobal: header["nextGlobal"] as number,
    base: base.map(([name, size, to, nextGlobal]) => ({ name, bytes: size, to, nextGlobal })),
    size: statedSize(bytes, 0) ?? 0,
  };
}

export function encodeStreamGroup(
  group: Pick<StreamGroup, "stream" | "offset" | "globals" | "back">,
  bodies: readonly Buffer[],
): readonly Buffer[] {
  const { stream, offset, globals, back } = group;
  const fields = { stream, offset, globals, back: back && [back.firstOffset, ...flatExtents(back.extents)] };
  return encodeGroup(fields, bodies);
}

export function encodeStateGroup(
  group: Pick<StateGroup, "persistenceId" | "revision" | "live">,
  bodies: readonly Buffer[],
): readonly Buffer[] {
  return encodeGroup({ state: group.persistenceId, revision: group.revision, live: group.live ? 1 : 0 }, bodies);
}

/** The group that begins at `at`; undefined: it is damaged. */
export function parseGroup(bytes: Buffer, at: number): StreamGroup | StateGroup | undefined {
  const parsed = parseHeader(bytes, at);
  if (parsed === undefined) return undefined;
  const { fields, bodyAt, size } = parsed;
  const body = bytes.subarray(bodyAt, at + size);
  if (typeof fields["state"] === "string") {
    const live = fields["live"] === 1;
    return {
      kind: "state",
      persistenceId: fields["state"],
      revision: fields["revision"] as number,
      live,
      body,
      at,
      size,
    };
  }
  if (typeof fields["stream"] !== "string") return undefined;
  const back = fields["back"] as readonly number[] | undefined;
  return {
    kind: "stream",
    stream: fields["stream"],
    offset: fields["offset"] as number,
    globals: fields["globals"] as readonly number[],
    back: back && { firstOffset: back[0] ?? 0, extents: parseExtents(back, 1) },
    body,
    at,
    size,
  };
}

/** All groups of a segment, in order. Throws DriverFailure "corruption" at the first that is damaged. */
export function* groupsOf(bytes: Buffer, header: SegmentHeader): Generator<StreamGroup | StateGroup> {
  if (bytes.length !== header.bytes) throw damagedSegment();
  for (let at = header.size; at < bytes.length; ) {
    const group = parseGroup(bytes, at);
    if (group === undefined) throw damagedSegment();
    yield group;
    at += group.size;
  }
}

/** The lines of a body behind the first `skip`, without their line feeds, each decoded by itself: what is kept of one keeps no other. */
export function* linesOf(body: Buffer, skip = 0): Generator<string> {
  let line = 0;
  for (let at = 0; at < body.length; line++) {
    const end = body.indexOf(LINE_FEED, at);
    if (end < 0) throw damagedSegment();
    if (line >= skip) yield body.toString("utf8", at, end);
    at = end + 1;
  }
}

/** Cuts a body behind its first `count` lines. */
export function cutLines(body: Buffer, count: number): readonly [Buffer, Buffer] {
  let at = 0;
  for (let line = 0; line < count && at < body.length; line++) at = body.indexOf(LINE_FEED, at) + 1;
  return [body.subarray(0, at), body.subarray(at)];
}

export function damagedSegment(): DriverFailure {
  return new DriverFailure("corruption", "a merged segment is damaged: restore the store from a copy");
}

function encodeGroup(fields: object, bodies: readonly Buffer[]): readonly Buffer[] {
  return sealPieces(`${JSON.stringify(fields).slice(1)}\n`, bodies);
}

function parseHeader(
  bytes: Buffer,
  at: number,
): { readonly fields: Record<string, unknown>; readonly bodyAt: number; readonly size: number } | undefined {
  const size = wholeSize(bytes, at);
  if (size === undefined) return undefined;
  const bodyAt = bytes.indexOf(LINE_FEED, at) + 1;
  const fields = JSON.parse(bytes.toString("utf8", at, bodyAt)) as Record<string, unknown>;
  return { fields, bodyAt, size };
}

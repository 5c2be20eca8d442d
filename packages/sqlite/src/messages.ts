import type { ReadLimit, StoredMessage } from "@holdfast/core/driver";
import { checksum, type Database, type Statement } from "./database.ts";
import { damaged } from "./failure.ts";
import { decodeRuns, type Run, type StreamHead, type StreamHeads } from "./stream-heads.ts";

interface MessageRow {
  readonly position: number;
  readonly stream: number;
  readonly offset: number;
  readonly record: unknown;
}

interface PlaceRow {
  readonly first: number;
  readonly positions: string;
  readonly crc: number;
}

/** Rows of one INSERT, most first: a statement of many rows costs a third less for each. */
const INSERT_ROWS = [32, 8, 1];

/** The log, read by global offset or stream by stream. All methods run inside a transaction, after `heads.refresh()`. */
export class Messages {
  readonly #heads: StreamHeads;
  /** By how many rows they take. */
  readonly #inserts: ReadonlyMap<number, Statement<(string | number)[]>>;
  /** What was appended and not inserted yet: position, stream, offset and record of each message. */
  #pending: (string | number)[] = [];
  readonly #range: Statement<[number, number], MessageRow>;
  readonly #rangeBytes: Statement<[number, number], number>;
  readonly #rangeSizes: Statement<[number, number], number>;
  readonly #some: Statement<[string], MessageRow>;
  readonly #someSizes: Statement<[string], number>;
  readonly #place: Statement<[number, number], PlaceRow>;

  constructor(db: Database, heads: StreamHeads) {
    this.#heads = heads;
    const inRange = "FROM message WHERE position >= ? AND position < ?";
    // The outer loop runs over the wanted positions, in the order given.
    const wanted = "FROM json_each(?) AS wanted CROSS JOIN message ON message.position = wanted.value";
    this.#inserts = new Map(
      INSERT_ROWS.map((rows) => {
        const values = Array.from({ length: rows }, () => "(?, ?, ?, ?)").join(", ");
        return [
          rows,
          db.prepare<(string | number)[]>(`INSERT INTO message (position, stream, offset, record) VALUES ${values}`),
        ];
      }),
    );
    this.#range = db.prepare(`SELECT position, stream, offset, record ${inRange} ORDER BY position`);
    this.#rangeBytes = db.prepare<[number, number], number>(`SELECT total(octet_length(record)) ${inRange}`).pluck();
    this.#rangeSizes = db
      .prepare<[number, number], number>(`SELECT octet_length(record) ${inRange} ORDER BY position`)
      .pluck();
    this.#some = db.prepare(`SELECT position, stream, offset, record ${wanted}`);
    this.#someSizes = db.prepare<[string], number>(`SELECT octet_length(record) ${wanted}`).pluck();
    this.#place = db.prepare(
      "SELECT first, positions, crc FROM place WHERE stream = ? AND first <= ? ORDER BY first DESC LIMIT 1",
    );
  }

  /** Takes messages to be inserted by {@link insert}. */
  append(head: StreamHead, records: readonly string[]): void {
    let position = this.#heads.next;
    let offset = head.next;
    for (const record of records) this.#pending.push(position++, head.id, offset++, record);
    this.#heads.add(head, records.length);
  }

  insert(): void {
    const pending = this.#pending;
    this.#pending = [];
    let inserted = 0;
    for (const [rows, statement] of this.#inserts) {
      const fields = rows * 4;
      for (; inserted + fields <= pending.length; inserted += fields) {
        statement.run(...(pending.length === fields ? pending : pending.slice(inserted, inserted + fields)));
      }
    }
  }

  /** What was not inserted is not wanted any more. */
  forget(): void {
    this.#pending = [];
  }

  readGlobal(from: number, limit: ReadLimit): StoredMessage[] {
    const end = Math.min(this.#heads.next, from + limit.maxRecords);
    if (from >= end) return [];
    return this.#readRange(from, end, limit.maxBytes).map((row, index) => {
      if (row.position !== from + index) throw damaged(`the message at global offset ${from + index} is missing`);
      return stored(row, this.#heads.byId(row.stream).name);
    });
  }

  readStream(head: StreamHead, from: number, limit: ReadLimit): StoredMessage[] {
    const end = Math.min(head.next, from + limit.maxRecords);
    if (from >= end) return [];
    const runs = this.#runs(head, from, end);
    const [first] = runs;
    const rows =
      first !== undefined && runs.length === 1
        ? this.#readRange(first.position, first.position + first.count, limit.maxBytes)
        : this.#readRuns(runs, limit.maxBytes);
    return rows.map((row, index) => {
      if (row.stream !== head.id || row.offset !== from + index)
        throw damaged(`a message of a stream is missing at offset ${from + index}`);
      return stored(row, head.name);
    });
  }

  #readRange(from: number, end: number, maxBytes: number): MessageRow[] {
    if ((this.#rangeBytes.get(from, end) ?? 0) <= maxBytes) return whole(this.#range.all(from, end), end - from);
    const count = fitting(whole(this.#rangeSizes.all(from, end), end - from), maxBytes);
    return whole(this.#range.all(from, from + count), count);
  }

  #readRuns(runs: readonly Run[], maxBytes: number): MessageRow[] {
    const positions = runs.flatMap(({ position, count }) =>
      Array.from({ length: count }, (_, index) => position + index),
    );
    const sizes = whole(this.#someSizes.all(JSON.stringify(positions)), positions.length);
    const count = fitting(sizes, maxBytes);
    return whole(this.#some.all(JSON.stringify(positions.slice(0, count))), count);
  }

  /** Where the messages at offsets from `from` to before `end` lie. */
  #runs(head: StreamHead, from: number, end: number): Run[] {
    const runs: Run[] = [];
    let offset = from;
    while (offset < end && offset < head.folded) {
      const place = this.#place.get(head.id, offset);
      if (place === undefined || place.crc !== checksum(head.id, place.first, place.positions)) throw lostPlace(offset);
      const next = take(runs, decodeRuns(place.positions), place.first, offset, end);
      if (next === offset) throw lostPlace(offset);
      offset = next;
    }
    if (offset < end) take(runs, head.tail, head.folded, offset, end);
    return runs;
  }
}

/** Adds the part of `from` that covers offsets from `offset` to before `end`, where `from` begins at `first`; gives where it ends. */
function take(runs: Run[], from: readonly Run[], first: number, offset: number, end: number): number {
  let start = first;
  let next = offset;
  for (const { position, count } of from) {
    const skipped = Math.max(0, next - start);
    const taken = Math.min(start + count, end) - (start + skipped);
    if (taken > 0) {
      const last = runs.at(-1);
      if (last !== undefined && last.position + last.count === position + skipped) last.count += taken;
      else runs.push({ position: position + skipped, count: taken });
      next += taken;
    }
    start += count;
  }
  return next;
}

/** How many records fit, one at least. */
function fitting(sizes: readonly number[], maxBytes: number): number {
  let bytes = 0;
  const beyond = sizes.findIndex((size) => {
    bytes += size;
    return bytes > maxBytes;
  });
  return beyond < 0 ? sizes.length : Math.max(1, beyond);
}

function whole<T>(rows: T[], count: number): T[] {
  if (rows.length !== count || count === 0) throw damaged("messages are missing from the log");
  return rows;
}

function stored({ position, offset, record }: MessageRow, stream: string): StoredMessage {
  if (typeof record !== "string") throw damaged(`the message at global offset ${position} is damaged`);
  return { stream, offset, globalOffset: position, record };
}

function lostPlace(offset: number): Error {
  return damaged(`it is lost where the message at offset ${offset} of a stream lies`);
}

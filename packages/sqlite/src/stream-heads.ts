import { checksum, type Database, isCount, type Statement } from "./database.ts";
import { damaged } from "./failure.ts";
import { NameChain, type NamedRow } from "./name-chain.ts";

/** A stream that exists, as of the last refresh. */
export interface StreamHead {
  readonly id: number;
  readonly name: string;
  next: number;
  /** Offsets below it are found in `place`, the others in `tail`. */
  folded: number;
  /** Where the messages from `folded` on lie: runs of consecutive positions. */
  tail: Run[];
}

/** `count` messages in a row, the first at global offset `position`. */
export interface Run {
  readonly position: number;
  count: number;
}

interface HeadRow {
  readonly next: number;
  readonly folded: number;
  readonly crc: number;
}

interface StreamRow extends NamedRow {
  readonly next: number;
  readonly crc: number;
}

/** So many heads are kept from one transaction to the next; those with a tail always are. */
const MAX_KEPT = 10_000;
const COLUMNS = "id, name, after, next, crc";

/**
 * Where each stream ends, and where its newest messages lie: what `stream` and `place` hold, and on top of it the log's
 * tail, the messages not folded into them yet. The tail is kept in memory and read again from the log where another
 * process wrote. All methods run inside a transaction of the connection, `refresh` first.
 */
export class StreamHeads {
  /** The next global offset. */
  next = 0;
  /** Messages before it are in `place`. */
  folded = 0;
  readonly #byName = new Map<string, StreamHead>();
  readonly #byId = new Map<number, StreamHead>();
  readonly #withTail = new Set<StreamHead>();
  readonly #chain: NameChain<StreamRow>;
  readonly #readHead: Statement<[], HeadRow>;
  readonly #writeHead: Statement<[number, number, number]>;
  readonly #readTail: Statement<
    [number],
    { readonly position: number; readonly stream: number; readonly offset: number }
  >;
  readonly #find: Statement<[string], StreamRow>;
  readonly #findId: Statement<[number], StreamRow>;
  readonly #insert: Statement<[string, number, number]>;
  readonly #update: Statement<[number, number, number]>;
  readonly #addPlace: Statement<[number, number, string, number]>;

  constructor(db: Database) {
    this.#chain = new NameChain(db, "stream", COLUMNS, checkRow);
    this.#readHead = db.prepare("SELECT next, folded, crc FROM head WHERE one = 1");
    this.#writeHead = db.prepare("UPDATE head SET next = ?, folded = ?, crc = ? WHERE one = 1");
    this.#readTail = db.prepare("SELECT position, stream, offset FROM message WHERE position >= ? ORDER BY position");
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM stream WHERE name = ?`);
    this.#findId = db.prepare(`SELECT ${COLUMNS} FROM stream WHERE id = ?`);
    this.#insert = db.prepare("INSERT INTO stream (name, after, next, crc) VALUES (?, ?, 0, ?)");
    this.#update = db.prepare("UPDATE stream SET next = ?, crc = ? WHERE id = ?");
    this.#addPlace = db.prepare("INSERT INTO place (stream, first, positions, crc) VALUES (?, ?, ?, ?)");
  }

  /** Forgets what it knows: a transaction that it followed was not committed. */
  forget(): void {
    this.next = 0;
    this.folded = 0;
    this.#byName.clear();
    this.#byId.clear();
    this.#withTail.clear();
  }

  /** Takes in what others have committed. Heads that were given before it are not to be used after it. */
  refresh(): void {
    if (this.#byName.size > MAX_KEPT) this.#shed();
    const row = this.#readHead.get();
    if (row !== undefined && row.next === this.next && row.folded === this.folded) return;
    if (row === undefined || !isCount(row.next) || !isCount(row.folded) || row.crc !== checksum(row.next, row.folded)) {
      throw damaged("the end of the log is damaged");
    }
    // Whoever folded knows what we do not: start from there. What was folded is never many messages ago.
    if (row.folded !== this.folded) {
      this.forget();
      this.next = row.folded;
      this.folded = row.folded;
    }
    try {
      for (const { position, stream, offset } of this.#readTail.all(this.next)) {
        const head = this.byId(stream);
        if (position !== this.next || offset !== head.next)
          throw damaged(`the log is damaged at global offset ${position}`);
        this.add(head, 1);
      }
      if (this.next !== row.next) throw damaged(`the log ends at global offset ${this.next} instead of ${row.next}`);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** The stream, if it exists. */
  find(name: string): StreamHead | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const row = this.#find.get(name);
    return row === undefined ? undefined : this.#keep(row);
  }

  /** Throws if the stream, which was not found, may have existed. */
  proveAbsent(name: string): void {
    this.#chain.absent(name);
  }

  byId(id: number): StreamHead {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const row = this.#findId.get(id);
    if (row === undefined) throw damaged("a message names a stream that is not there");
    return this.#keep(row);
  }

  /** Streams in the order of their names, from the first one on that is not before `from`, and the name of the next one. */
  list(from: string): { readonly heads: readonly StreamHead[]; readonly next: string | undefined } {
    const { rows, next } = this.#chain.list(from);
    return { heads: rows.map((row) => this.#byName.get(row.name) ?? this.#keep(row)), next };
  }

  create(name: string): StreamHead {
    const after = this.#chain.insert(name);
    // The id is part of what the checksum vouches for, and is known once the row is there.
    const id = Number(this.#insert.run(name, after, 0).lastInsertRowid);
    this.#update.run(0, checksum(id, 0, name), id);
    const head: StreamHead = { id, name, next: 0, folded: 0, tail: [] };
    this.#byName.set(name, head);
    this.#byId.set(id, head);
    return head;
  }

  /** Counts `count` messages in at the end of the log. */
  add(head: StreamHead, count: number): void {
    const last = head.tail.at(-1);
    if (last !== undefined && last.position + last.count === this.next) last.count += count;
    else head.tail.push({ position: this.next, count });
    this.#withTail.add(head);
    head.next += count;
    this.next += count;
  }

  /** Writes down where the log ends; from `foldAt` messages in the tail on, folds them. */
  write(foldAt: number): void {
    if (this.next - this.folded >= foldAt) this.#fold();
    this.#writeHead.run(this.next, this.folded, checksum(this.next, this.folded));
  }

  /** In the order of ids, so that neighbouring rows are written together. */
  #fold(): void {
    const heads = [...this.#withTail].sort((a, b) => a.id - b.id);
    for (const head of heads) {
      const positions = encodeRuns(head.tail);
      this.#addPlace.run(head.id, head.folded, positions, checksum(head.id, head.folded, positions));
      this.#update.run(head.next, checksum(head.id, head.next, head.name), head.id);
      head.folded = head.next;
      head.tail = [];
    }
    this.#withTail.clear();
    this.folded = this.next;
  }

  #keep(row: StreamRow): StreamHead {
    checkRow(row);
    const { id, name, next } = row;
    const head: StreamHead = { id, name, next, folded: next, tail: [] };
    this.#byName.set(name, head);
    this.#byId.set(id, head);
    return head;
  }

  #shed(): void {
    this.#byName.clear();
    this.#byId.clear();
    for (const head of this.#withTail) {
      this.#byName.set(head.name, head);
      this.#byId.set(head.id, head);
    }
  }
}

function checkRow({ id, name, next, crc }: StreamRow): void {
  if (!isCount(id) || !isCount(next) || crc !== checksum(id, next, name))
    throw damaged("the entry of a stream is damaged");
}

function encodeRuns(runs: readonly Run[]): string {
  const numbers: number[] = [];
  let end = 0;
  for (const { position, count } of runs) {
    numbers.push(position - end, count);
    end = position + count;
  }
  return JSON.stringify(numbers);
}

/** Of text whose checksum is right. */
export function decodeRuns(text: string): Run[] {
  const numbers = JSON.parse(text) as number[];
  const runs: Run[] = [];
  let end = 0;
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    const position = end + (numbers[index] ?? 0);
    const count = numbers[index + 1] ?? 0;
    runs.push({ position, count });
    end = position + count;
  }
  return runs;
}

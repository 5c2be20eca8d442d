import { join } from "node:path";
import Database from "better-sqlite3";
import { order } from "./workload.ts";

/** better-sqlite3 by hand, at the pragmas that Holdfast uses. */
function openDatabase(folder: string, name: string): Database.Database {
  const db = new Database(join(folder, name));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  return db;
}

/** The least durable work there is: one prepared INSERT of the encoded message. No streams, no offsets. */
export class Bare {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement<[string]>;

  constructor(folder: string) {
    this.#db = openDatabase(folder, "bare.db");
    this.#db.exec("CREATE TABLE message (position INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    this.#insert = this.#db.prepare("INSERT INTO message (body) VALUES (?)");
  }

  appendEach(count: number): void {
    for (let index = 0; index < count; index++) this.#insert.run(JSON.stringify(order(index)));
  }

  appendInTransactions(count: number, size: number): void {
    const group = this.#db.transaction((from: number) => {
      for (let index = from; index < from + size; index++) this.#insert.run(JSON.stringify(order(index)));
    });
    for (let index = 0; index < count; index += size) group.immediate(index);
  }

  close(): void {
    this.#db.close();
  }
}

/**
 * The best synchronous loop by hand that keeps the same promises: the envelope encoded per message, the offset unique
 * in its stream, one global order. Its streams are numbers already: it stores no names.
 */
export class Fair {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement<[number, number, string]>;
  readonly #page: Database.Statement<[number], { readonly position: number; readonly body: string }>;
  readonly #next: number[] = [];

  constructor(folder: string) {
    this.#db = openDatabase(folder, "fair.db");
    this.#db.exec(
      "CREATE TABLE message (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, offset INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (stream, offset))",
    );
    this.#insert = this.#db.prepare("INSERT INTO message (stream, offset, body) VALUES (?, ?, ?)");
    this.#page = this.#db.prepare("SELECT * FROM message WHERE position > ? ORDER BY position LIMIT 512");
  }

  /** Each message its own commit, to `streams` streams in turn. */
  appendEach(count: number, streams: number): void {
    for (let index = 0; index < count; index++) this.#append(index % streams, index);
  }

  /** Each commit has a message for each of `streams` streams. */
  appendGroups(count: number, streams: number): void {
    const group = this.#db.transaction((from: number) => {
      for (let stream = 0; stream < streams; stream++) this.#append(stream, from + stream);
    });
    for (let index = 0; index < count; index += streams) group.immediate(index);
  }

  /** Each commit has `size` messages for one of `streams` streams. */
  appendBatches(count: number, size: number, streams: number): void {
    const batch = this.#db.transaction((from: number) => {
      for (let index = from; index < from + size; index++) this.#append((from / size) % streams, index);
    });
    for (let index = 0; index < count; index += size) batch.immediate(index);
  }

  /** Pages by `.all()`, with a JSON.parse of each body; gives how many of the `limit` there were. */
  replay(from: number, limit: number): number {
    let count = 0;
    for (let position = from; count < limit; ) {
      const rows = this.#page.all(position);
      const last = rows.at(-1);
      if (last === undefined) break;
      for (const { body } of rows) {
        JSON.parse(body);
        count += 1;
      }
      position = last.position;
    }
    return Math.min(count, limit);
  }

  /** For filling quickly. */
  syncNothing(): void {
    this.#db.pragma("synchronous = OFF");
  }

  close(): void {
    this.#db.close();
  }

  #append(stream: number, index: number): void {
    const offset = this.#next[stream] ?? 0;
    this.#insert.run(stream, offset, JSON.stringify(order(index)));
    this.#next[stream] = offset + 1;
  }
}

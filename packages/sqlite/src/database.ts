import { crc32 } from "node:zlib";
import type BetterSqlite3 from "better-sqlite3";

export type Database = BetterSqlite3.Database;
export type Statement<P extends unknown[], R = unknown> = BetterSqlite3.Statement<P, R>;

/** What a `crc` column holds. Names come last: they may hold any character. */
export function checksum(...fields: readonly (string | number)[]): number {
  return crc32(fields.join(":"));
}

/** A whole number as we wrote it: damage may have made anything of it. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Runs work of several reads on one state of the database. */
export class Snapshot {
  readonly #db: Database;
  readonly #begin: Statement<[]>;
  readonly #end: Statement<[]>;

  constructor(db: Database) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN");
    this.#end = db.prepare("COMMIT");
  }

  read<T>(work: () => T): T {
    this.#begin.run();
    try {
      return work();
    } finally {
      if (this.#db.inTransaction) this.#end.run();
    }
  }
}

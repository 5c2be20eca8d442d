import { crc32 } from "node:zlib";
import type { Database, Statement } from "./database.ts";
import { damaged } from "./failure.ts";
import { END } from "./schema.ts";

/** What every row of a named table has. */
export interface NamedRow {
  readonly id: number;
  readonly name: string;
  readonly after: number;
}

/** So many names make a page of a listing. */
const LISTED = 256;

/**
 * The names of a table as a chain in the order of their UTF-8 bytes, in which each row names the next: a name that
 * vanished breaks it. `check` throws for a row whose checksum is wrong.
 */
export class NameChain<R extends NamedRow> {
  readonly #table: string;
  readonly #check: (row: R) => void;
  readonly #before: Statement<[string], R>;
  readonly #behind: Statement<[string], string>;
  readonly #relink: Statement<[number, number]>;
  readonly #list: Statement<[string, number], R>;

  constructor(db: Database, table: "stream" | "state", columns: string, check: (row: R) => void) {
    this.#table = table;
    this.#check = check;
    this.#before = db.prepare(`SELECT ${columns} FROM ${table} WHERE name < ? ORDER BY name DESC LIMIT 1`);
    this.#behind = db
      .prepare<[string], string>(`SELECT name FROM ${table} WHERE name > ? ORDER BY name LIMIT 1`)
      .pluck();
    this.#relink = db.prepare(`UPDATE ${table} SET after = ? WHERE id = ?`);
    this.#list = db.prepare(`SELECT ${columns} FROM ${table} WHERE name >= ? ORDER BY name LIMIT ?`);
  }

  /** Throws unless `name`, which was not found, is known to be absent: what lies on both sides of it is linked. */
  absent(name: string): { readonly before: R; readonly behind: string | undefined } {
    const before = this.#before.get(name);
    const behind = this.#behind.get(name);
    if (before === undefined || before.after !== linkTo(behind)) throw this.#broken();
    this.#check(before);
    // A damaged tree may lead to a wrong place, where neighbours are linked as well.
    if (!inOrder(before.name, name) || (behind !== undefined && !inOrder(name, behind))) throw this.#broken();
    return { before, behind };
  }

  /** Makes room for a new name; gives the `after` of its row. */
  insert(name: string): number {
    const { id, after } = this.absent(name).before;
    this.#relink.run(linkTo(name), id);
    return after;
  }

  /** Rows in the order of their names, from the first one on that is not before `from`, and the name of the next one. */
  list(from: string): { readonly rows: readonly R[]; readonly next: string | undefined } {
    const rows = this.#list.all(from, LISTED + 1);
    const [first] = rows;
    if (first?.name !== from && first?.name !== this.absent(from).behind) throw this.#broken();
    const next = rows[LISTED];
    const page = rows.slice(0, LISTED);
    page.forEach((row, index) => {
      this.#check(row);
      if (row.after !== linkTo(rows[index + 1]?.name)) throw this.#broken();
    });
    return { rows: page, next: next?.name };
  }

  #broken(): Error {
    return damaged(`names of table ${this.#table} are missing or altered`);
  }
}

/** What the `after` of the row before `name` holds. */
function linkTo(name: string | undefined): number {
  // Damage may have made something else of a name than a string.
  return name === undefined ? END : crc32(String(name));
}

function inOrder(name: string, other: string): boolean {
  return Buffer.compare(Buffer.from(name), Buffer.from(other)) < 0;
}

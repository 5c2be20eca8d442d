import type { StoredState } from "@holdfast/core/driver";
import { checksum, type Database, isCount, type Statement } from "./database.ts";
import { damaged } from "./failure.ts";
import { NameChain, type NamedRow } from "./name-chain.ts";

/** Receipts are kept for the revision and the eight before it. */
const RECEIPTS = 9;
const COLUMNS = "id, name, after, revision, live, receipts, crc";

interface StateRow extends NamedRow {
  readonly revision: number;
  readonly live: number;
  readonly receipts: string;
  readonly crc: number;
}

/** A state that was written at least once. */
export interface StateEntry {
  readonly id: number;
  readonly name: string;
  revision: number;
  readonly live: boolean;
  /** Newest first. */
  receipts: readonly string[];
}

/** The states of the store. All methods run inside a transaction of the connection. */
export class States {
  readonly #chain: NameChain<StateRow>;
  readonly #find: Statement<[string], StateRow>;
  readonly #read: Statement<[string], { readonly revision: number; readonly record: unknown }>;
  readonly #insert: Statement<[string, number, string]>;
  readonly #update: Statement<[number, number, string, number, string, number]>;

  constructor(db: Database) {
    this.#chain = new NameChain(db, "state", COLUMNS, checkRow);
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM state WHERE name = ?`);
    this.#read = db.prepare("SELECT revision, record FROM state WHERE name = ?");
    this.#insert = db.prepare(
      "INSERT INTO state (name, after, revision, live, receipts, crc, record) VALUES (?, ?, 0, 0, '[]', 0, ?)",
    );
    this.#update = db.prepare(
      "UPDATE state SET revision = ?, live = ?, receipts = ?, crc = ?, record = ? WHERE id = ?",
    );
  }

  /** The entry, if the id was ever written. */
  find(name: string): StateEntry | undefined {
    const row = this.#find.get(name);
    return row === undefined ? undefined : entryOf(row);
  }

  /** Throws if the id, which was not found, may have been written. */
  proveAbsent(name: string): void {
    this.#chain.absent(name);
  }

  /** Without the row's checksum: the record's own, which core looks at, covers the name and the revision too. */
  read(name: string): StoredState | undefined {
    const row = this.#read.get(name);
    if (row === undefined) {
      this.#chain.absent(name);
      return undefined;
    }
    const { revision, record } = row;
    if (!isCount(revision) || typeof record !== "string") throw damagedState();
    return { revision, record };
  }

  readReceipt(name: string, revision: number): string | undefined {
    const entry = this.find(name);
    if (entry === undefined) this.#chain.absent(name);
    return entry?.receipts[entry.revision - revision];
  }

  /** Entries in the order of their names, the deleted ones too, from the first one on that is not before `from`. */
  list(from: string): { readonly entries: readonly StateEntry[]; readonly next: string | undefined } {
    const { rows, next } = this.#chain.list(from);
    return { entries: rows.map(entryOf), next };
  }

  /** A row for a new id, to be written in the same transaction. */
  create(name: string): StateEntry {
    const after = this.#chain.insert(name);
    const id = Number(this.#insert.run(name, after, "").lastInsertRowid);
    return { id, name, revision: 0, live: false, receipts: [] };
  }

  /** Writes the next revision. */
  write(entry: StateEntry, next: { readonly live: boolean; readonly record: string; readonly receipt: string }): void {
    entry.revision += 1;
    entry.receipts = [next.receipt, ...entry.receipts.slice(0, RECEIPTS - 1)];
    const live = next.live ? 1 : 0;
    const receipts = JSON.stringify(entry.receipts);
    const crc = checksum(entry.id, entry.revision, live, receipts, entry.name);
    this.#update.run(entry.revision, live, receipts, crc, next.record, entry.id);
  }
}

function entryOf(row: StateRow): StateEntry {
  checkRow(row);
  const { id, name, revision, live, receipts } = row;
  return { id, name, revision, live: live === 1, receipts: JSON.parse(receipts) as string[] };
}

function checkRow({ id, name, revision, live, receipts, crc }: StateRow): void {
  if (!isCount(id) || !isCount(revision) || crc !== checksum(id, revision, live, receipts, name)) throw damagedState();
}

function damagedState(): Error {
  return damaged("the entry of a state is damaged");
}

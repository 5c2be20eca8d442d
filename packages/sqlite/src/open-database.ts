import { randomUUID } from "node:crypto";
import { DriverFailure } from "@holdfast/core/driver";
import BetterSqlite3 from "better-sqlite3";
import { checksum, type Database } from "./database.ts";
import { damaged, isBusy, toFailure } from "./failure.ts";
import { checkLeftLog } from "./left-log.ts";
import { checkPath } from "./path.ts";
import { whileBusy } from "./patience.ts";
import { APPLICATION_ID, END, FORMAT, SENTINEL_ID, TABLES } from "./schema.ts";

export interface OpenDatabaseOptions {
  readonly path: string;
  readonly durability?: "power" | "process" | undefined;
  /** Sees every statement: for tests that count them. */
  readonly verbose?: ((sql: unknown) => void) | undefined;
}

interface StoreRow {
  readonly format: number;
  readonly id: string;
  readonly crc: number;
}

/** SQLite before it could lose commits when the log was reset while a checkpoint ran. */
const OLDEST_SQLITE = [3, 51, 3] as const;
/** What better-sqlite3's binaries are built against: an older Node is killed by them, so it is told beforehand. */
const OLDEST_NODE_API = 10;
/** After a checkpoint a log larger than this is cut back. */
const LOG_SIZE_LIMIT = 16 * 1024 * 1024;

/** Opens the database, and creates the store in it where there is none. */
export async function openDatabase(
  options: OpenDatabaseOptions,
  deadline: number,
): Promise<{ readonly db: Database; readonly storeId: string }> {
  const path = checkPath(options.path);
  checkNode();
  try {
    if (path !== ":memory:") await checkLeftLog(path, options.durability !== "process");
    // Others may create the store, recover it or close it at this very moment: each try begins afresh.
    return await whileBusy(deadline, () => connect(path, options));
  } catch (error) {
    throw toFailure(error);
  }
}

function connect(path: string, options: OpenDatabaseOptions): { readonly db: Database; readonly storeId: string } {
  const db = new BetterSqlite3(path, { timeout: 0, ...(options.verbose && { verbose: options.verbose }) });
  try {
    checkVersion(db);
    // Whose file it is comes first: in a stranger's file nothing is changed, not even its journal mode.
    const fresh = isFresh(db);
    if (!fresh) checkFormat(db);
    configure(db, options.durability ?? "power");
    if (fresh) create(db);
    checkWritable(db);
    return { db, storeId: readStore(db).id };
  } catch (error) {
    db.close();
    throw error;
  }
}

function checkNode(): void {
  if (Number(process.versions.napi) >= OLDEST_NODE_API) return;
  throw new DriverFailure(
    "unsupported",
    `Node ${process.versions.node} is too old for better-sqlite3: 22.14 or newer is needed`,
  );
}

function checkVersion(db: Database): void {
  const version = String(db.prepare("SELECT sqlite_version()").pluck().get());
  const parts = version.split(".").map(Number);
  const differing = OLDEST_SQLITE.findIndex((part, index) => parts[index] !== part);
  if (differing >= 0 && (parts[differing] ?? 0) < (OLDEST_SQLITE[differing] ?? 0)) {
    throw new DriverFailure(
      "unsupported",
      `SQLite ${version} can lose commits: ${OLDEST_SQLITE.join(".")} or newer is needed`,
    );
  }
}

/** An empty file. Throws for a file that holds something else than a store. */
function isFresh(db: Database): boolean {
  const [applicationId, format] = [number(db, "application_id"), number(db, "user_version")];
  if (applicationId === APPLICATION_ID) return false;
  const tables = db.prepare("SELECT name FROM sqlite_schema").pluck().all();
  if (applicationId === 0 && format === 0 && tables.length === 0) return true;
  if (tables.includes("store") && tables.includes("head") && tables.includes("message"))
    throw damaged("the file's header is altered");
  throw new DriverFailure(
    "argument",
    "path: this SQLite database is not a Holdfast store, and is left as it is: name another file",
  );
}

function checkFormat(db: Database): void {
  const format = number(db, "user_version");
  const store = readStore(db);
  if (store.format !== format) throw damaged("the file's header is altered");
  if (format > FORMAT) {
    throw new DriverFailure(
      "unsupported",
      `the store has format ${format}, and this version knows formats up to ${FORMAT}: upgrade @holdfast/sqlite`,
    );
  }
  const schema = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").pluck().all();
  const whole = schema.length === TABLES.length && TABLES.every((sql, index) => sql === schema[index]);
  const plain = number(db, "auto_vacuum") === 0 && db.pragma("encoding", { simple: true }) === "UTF-8";
  if (!whole || !plain) throw damaged("the file's schema is altered");
}

function readStore(db: Database): StoreRow {
  const row = db.prepare<[], StoreRow>("SELECT format, id, crc FROM store WHERE one = 1").get();
  if (row === undefined || row.crc !== checksum(row.format, row.id))
    throw damaged("the file's entry about itself is damaged");
  return row;
}

function configure(db: Database, durability: "power" | "process"): void {
  const mode = db.pragma("journal_mode = WAL", { simple: true });
  if (mode !== "wal") {
    throw new DriverFailure(
      "unsupported",
      `SQLite can't keep a write-ahead log here (journal mode ${String(mode)}): name a file on a local disk`,
    );
  }
  // better-sqlite3 makes NORMAL of a log's default, which loses acknowledged commits in a power cut.
  const synchronous = durability === "power" ? { name: "FULL", level: 2 } : { name: "NORMAL", level: 1 };
  db.pragma(`synchronous = ${synchronous.name}`);
  // Where a plain fsync leaves the data in the disk's cache (macOS).
  db.pragma(`fullfsync = ${durability === "power" ? 1 : 0}`);
  db.pragma("checkpoint_fullfsync = 1");
  db.pragma("wal_autocheckpoint = 1000");
  db.pragma(`journal_size_limit = ${LOG_SIZE_LIMIT}`);
  db.pragma("cell_size_check = ON");
  db.pragma("trusted_schema = OFF");
  if (number(db, "synchronous") !== synchronous.level || db.pragma("journal_mode", { simple: true }) !== "wal") {
    throw new DriverFailure(
      "unsupported",
      `SQLite did not take synchronous = ${synchronous.name} with a write-ahead log`,
    );
  }
}

/** Of several processes one creates the store, the others find it. */
function create(db: Database): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    if (isFresh(db)) {
      for (const table of TABLES) db.exec(table);
      const id = randomUUID();
      db.prepare("INSERT INTO store (one, format, id, crc) VALUES (1, ?, ?, ?)").run(FORMAT, id, checksum(FORMAT, id));
      db.prepare("INSERT INTO head (one, next, folded, crc) VALUES (1, 0, 0, ?)").run(checksum(0, 0));
      db.prepare("INSERT INTO stream (id, name, after, next, crc) VALUES (?, '', ?, 0, ?)").run(
        SENTINEL_ID,
        END,
        checksum(SENTINEL_ID, 0, ""),
      );
      db.prepare(
        "INSERT INTO state (id, name, after, revision, live, receipts, crc, record) VALUES (?, '', ?, 0, 0, '[]', ?, '')",
      ).run(SENTINEL_ID, END, checksum(SENTINEL_ID, 0, 0, "[]", ""));
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${FORMAT}`);
    }
    db.exec("COMMIT");
  } finally {
    if (db.inTransaction) db.exec("ROLLBACK");
  }
  checkFormat(db);
}

/** A file that can only be read opens without complaint, and would refuse the first write. */
function checkWritable(db: Database): void {
  try {
    db.exec("BEGIN IMMEDIATE");
    db.exec("ROLLBACK");
  } catch (error) {
    // Whoever holds the lock could write.
    if (!isBusy(error)) throw error;
  }
}

function number(db: Database, pragma: string): number {
  return Number(db.pragma(pragma, { simple: true }));
}

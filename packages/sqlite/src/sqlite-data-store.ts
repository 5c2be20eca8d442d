import type { GloballyOrderedMessageStore, OpenOptions } from "@holdfast/core";
import { DriverDataStore, DriverFailure, openStore } from "@holdfast/core/driver";
import { openSqliteDriver } from "./sqlite-driver.ts";

/** Options of {@link SqliteDataStore.open}. */
export interface SqliteOptions extends OpenOptions {
  /** The database file, on a local disk; created where it is missing, inside a folder that exists. */
  readonly path: string;
  /**
   * What an acknowledged write survives. "power", unless given: the end of the process and a power cut; every commit
   * waits for the disk. "process": the end of the process only; a power cut may take the last commits.
   */
  readonly durability?: "power" | "process" | undefined;
}

/**
 * A data store in one SQLite file: globally ordered messages, durable states, and transactions over all of them.
 *
 * Any number of processes of one machine may open the file at once. Writers take turns: one that does not get its turn
 * within `settleTimeoutMs` rejects with UnavailableError, nothing written. Beside the file SQLite keeps `<path>-wal`
 * and `<path>-shm`; copy the three together, or only when every store on them is closed.
 *
 * Work happens in the calling thread: a commit blocks the event loop for as long as one sync of the disk takes.
 */
export class SqliteDataStore extends DriverDataStore<GloballyOrderedMessageStore> {
  /**
   * Opens the store at `path`, and creates it where there is none.
   *
   * Rejects with InvalidArgumentError for a wrong option, or a file that is something else; UnavailableError where the
   * folder is missing or the file can't be opened and written; UnsupportedError for a store of a newer format, a network
   * file system or a database without a write-ahead log; CorruptionError for a damaged file. The file is then as it was.
   */
  static async open(options: SqliteOptions): Promise<SqliteDataStore> {
    return openStore(options, { noticeMs: 25 }, async (settings) => {
      const { path, durability } = options;
      if (durability !== undefined && durability !== "power" && durability !== "process") {
        throw new DriverFailure("argument", 'durability must be "power" or "process"');
      }
      return new SqliteDataStore(await openSqliteDriver({ path, durability }, settings), settings);
    });
  }
}

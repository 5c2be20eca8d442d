import type { GloballyOrderedMessageStore, OpenOptions } from "@holdfast/core";
import { DriverDataStore, openStore } from "@holdfast/core/driver";
import { openLogDriver } from "@holdfast/core/log";
import { FilesystemLog } from "./filesystem-log.ts";

/** Options of {@link FilesystemDataStore.open}. */
export interface FilesystemOptions extends OpenOptions {
  /** The store's folder, on a local disk; made where it is missing, inside a folder that exists. */
  readonly directory: string;
}

/**
 * A data store in a folder of plain files: globally ordered messages, durable states, and transactions over all of them.
 * An acknowledged write survives a power cut.
 *
 * Any number of processes of one machine may open the folder at once, without locks: they append to one log, and its
 * order decides. The files are lines of JSON; README.txt in the folder says what is what.
 */
export class FilesystemDataStore extends DriverDataStore<GloballyOrderedMessageStore> {
  /**
   * Opens the store in `directory`, and creates it where there is none.
   *
   * Rejects with InvalidArgumentError for a wrong option, or a folder that holds something else; UnavailableError where
   * the folder can't be made, read and written; UnsupportedError for a store of a newer format, a network file system,
   * one without hard links or atomic appends, or another system than Linux and macOS; CorruptionError for a damaged store.
   */
  static async open(options: FilesystemOptions): Promise<FilesystemDataStore> {
    return openStore(options, { noticeMs: 25 }, async (settings) => {
      const log = await FilesystemLog.open({ directory: options.directory, noticeMs: settings.noticeMs });
      return new FilesystemDataStore(await openLogDriver(log), settings);
    });
  }
}

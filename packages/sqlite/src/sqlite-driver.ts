import { realpathSync } from "node:fs";
import type {
  Commit,
  CommitOutcome,
  GloballyOrderedDriver,
  Page,
  ReadLimit,
  StoredMessage,
  StoredState,
} from "@holdfast/core/driver";
import { type Database, Snapshot, type Statement } from "./database.ts";
import { isBusy, toFailure } from "./failure.ts";
import { Messages } from "./messages.ts";
import { type OpenDatabaseOptions, openDatabase } from "./open-database.ts";
import { whileBusy } from "./patience.ts";
import { States } from "./states.ts";
import { StreamHeads } from "./stream-heads.ts";
import { watchLog } from "./watcher.ts";
import { Writer } from "./writer.ts";

/** A group this large holds the event loop for some ten milliseconds. */
const MAX_GROUP_BYTES = 1024 * 1024;

export interface SqliteDriverSettings {
  readonly settleTimeoutMs: number;
  readonly noticeMs: number;
}

export async function openSqliteDriver(
  options: OpenDatabaseOptions,
  settings: SqliteDriverSettings,
): Promise<GloballyOrderedDriver> {
  const { db, storeId } = await openDatabase(options, performance.now() + settings.settleTimeoutMs);
  try {
    return new SqliteDriver(db, storeId, settings);
  } catch (error) {
    db.close();
    throw toFailure(error);
  }
}

/** One connection, for reading and writing: every call is one transaction that begins and ends in one turn. */
class SqliteDriver implements GloballyOrderedDriver {
  readonly storeId: string;
  readonly transactions = "store";
  readonly durable = true;
  readonly noticeMs: number;
  readonly maxGroupBytes = MAX_GROUP_BYTES;
  readonly #db: Database;
  readonly #logPath: string;
  readonly #settleTimeoutMs: number;
  readonly #snapshot: Snapshot;
  readonly #heads: StreamHeads;
  readonly #messages: Messages;
  readonly #states: States;
  readonly #writer: Writer;
  /** Moves with the commits of other connections only. */
  readonly #dataVersion: Statement<[], number>;
  #ownCommits = 0;
  #seen = "";
  #reopenCause: unknown;

  constructor(db: Database, storeId: string, settings: SqliteDriverSettings) {
    this.storeId = storeId;
    this.noticeMs = settings.noticeMs;
    this.#settleTimeoutMs = settings.settleTimeoutMs;
    this.#db = db;
    // SQLite resolves symbolic links, and keeps its log beside the real file.
    this.#logPath = `${realpathSync(db.name)}-wal`;
    this.#snapshot = new Snapshot(db);
    this.#heads = new StreamHeads(db);
    this.#messages = new Messages(db, this.#heads);
    this.#states = new States(db);
    this.#writer = new Writer(db, { heads: this.#heads, messages: this.#messages, states: this.#states });
    this.#dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  }

  async commit(commits: readonly Commit[], deadline: number): Promise<readonly CommitOutcome[]> {
    if (this.#reopenCause !== undefined) return commits.map(() => ({ kind: "reopen", cause: this.#reopenCause }));
    let outcomes: readonly CommitOutcome[];
    try {
      // Locked and applied in one turn: a read between the two would meet the open transaction.
      outcomes = await whileBusy(deadline, () => {
        this.#writer.lock();
        return this.#writer.apply(commits);
      });
    } catch (error) {
      return commits.map(() => ({ kind: "notWritten", cause: toFailure(error) }));
    }
    this.#ownCommits += 1;
    this.#reopenCause = outcomes.find((outcome) => outcome.kind === "reopen")?.cause;
    return outcomes;
  }

  nextOffset(stream: string): Promise<number> {
    return this.#read(() => {
      const head = this.#heads.find(stream);
      if (head === undefined) this.#heads.proveAbsent(stream);
      return head?.next ?? 0;
    });
  }

  nextGlobalOffset(): Promise<number> {
    return this.#read(() => this.#heads.next);
  }

  readStream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    return this.#read(() => {
      const head = this.#heads.find(stream);
      if (head !== undefined) return this.#messages.readStream(head, from, limit);
      this.#heads.proveAbsent(stream);
      return [];
    });
  }

  readGlobal(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    return this.#read(() => this.#messages.readGlobal(from, limit));
  }

  readState(persistenceId: string): Promise<StoredState | undefined> {
    return this.#read(() => this.#states.read(persistenceId));
  }

  readReceipt(persistenceId: string, revision: number): Promise<string | undefined> {
    return this.#read(() => this.#states.readReceipt(persistenceId, revision));
  }

  listStreams(
    prefix: string,
    after: string | undefined,
  ): Promise<Page<{ readonly stream: string; readonly nextOffset: number }>> {
    return this.#read(() => {
      const { heads, next } = this.#heads.list(after ?? prefix);
      const items = heads
        .filter(({ name }) => name !== "" && name.startsWith(prefix))
        .map((head) => ({ stream: head.name, nextOffset: head.next }));
      return { items, next: next?.startsWith(prefix) ? next : undefined };
    });
  }

  listStates(prefix: string, after: string | undefined): Promise<Page<string>> {
    return this.#read(() => {
      const { entries, next } = this.#states.list(after ?? prefix);
      const items = entries.filter(({ name, live }) => live && name.startsWith(prefix)).map(({ name }) => name);
      return { items, next: next?.startsWith(prefix) ? next : undefined };
    });
  }

  watch(wake: () => void): () => void {
    let seen = this.#version();
    const moved = () => {
      const before = seen;
      seen = this.#version();
      return seen !== before;
    };
    return watchLog(this.#logPath, moved, wake);
  }

  async changed(): Promise<boolean> {
    const now = `${this.#version()} ${this.#ownCommits}`;
    const moved = now !== this.#seen;
    this.#seen = now;
    return moved;
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** -1 while the database is locked: a change too many is harmless. */
  #version(): number {
    try {
      return this.#dataVersion.get() ?? -1;
    } catch (error) {
      if (isBusy(error)) return -1;
      throw toFailure(error);
    }
  }

  async #read<T>(work: () => T): Promise<T> {
    try {
      return await whileBusy(performance.now() + this.#settleTimeoutMs, () =>
        this.#snapshot.read(() => {
          this.#heads.refresh();
          return work();
        }),
      );
    } catch (error) {
      throw toFailure(error);
    }
  }
}

import type { DataStore, GloballyOrderedMessageStore } from "@holdfast/core";

export type Store = DataStore<GloballyOrderedMessageStore>;

/** A way to keep a store in a folder on a local disk. */
export interface Backend {
  readonly name: string;
  /** Opens the store in the folder, and creates it where there is none. */
  open(folder: string): Promise<Store>;
  /** The system calls by which it changes what is on the disk: a writer is killed at each of them. */
  readonly calls: readonly string[];
}

const fileCalls = ["write", "pwrite64", "fsync", "fdatasync", "link", "rename", "unlink", "mkdir"] as const;

/** What must hold. Each process loads only the backend that it opens. */
export const backends: readonly Backend[] = [
  {
    name: "sqlite",
    open: (folder) => openSqlite(folder, "power"),
    calls: ["pwrite64", "fsync", "ftruncate", "unlink"],
  },
  {
    name: "filesystem",
    async open(folder) {
      const { FilesystemDataStore } = await import("@holdfast/filesystem");
      return FilesystemDataStore.open({ directory: `${folder}/store` });
    },
    calls: fileCalls,
  },
  {
    // The log rolls on and is merged all the time, as it otherwise is after megabytes.
    name: "filesystem-small-files",
    open: openInSmallFiles,
    calls: fileCalls,
  },
];

/** SQLite as better-sqlite3 leaves it: a commit does not wait for the disk, so the test must find it out. */
const sqliteAtNormal: Backend = {
  name: "sqlite at NORMAL",
  open: (folder) => openSqlite(folder, "process"),
  calls: [],
};

async function openSqlite(folder: string, durability: "power" | "process"): Promise<Store> {
  const { SqliteDataStore } = await import("@holdfast/sqlite");
  return SqliteDataStore.open({ path: `${folder}/store.db`, durability });
}

async function openInSmallFiles(folder: string): Promise<Store> {
  const { DriverDataStore, openStore } = await import("@holdfast/core/driver");
  const { openLogDriver } = await import("@holdfast/core/log");
  const { FilesystemLog } = await import("../../filesystem/src/filesystem-log.ts");
  return openStore({}, { noticeMs: 25 }, async (settings) => {
    const { noticeMs } = settings;
    const small = { segmentBytes: 24 * 1024, mergeAfter: { blocks: 32, bytes: 48 * 1024 } };
    const log = await FilesystemLog.open({ directory: `${folder}/store`, noticeMs, ...small });
    return new DriverDataStore<GloballyOrderedMessageStore>(await openLogDriver(log), settings);
  });
}

export function backendNamed(name: string): Backend {
  const found = [...backends, sqliteAtNormal].find((backend) => backend.name === name);
  if (found === undefined) {
    throw new Error(`there is no backend "${name}": name one of ${backends.map((each) => each.name).join(", ")}`);
  }
  return found;
}

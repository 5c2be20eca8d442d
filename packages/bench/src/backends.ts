import { join } from "node:path";
import { FilesystemDataStore } from "@holdfast/filesystem";
import { type DataStore, type GloballyOrderedMessageStore, SqliteDataStore } from "@holdfast/sqlite";

export type Backend = "sqlite" | "filesystem";
export type Store = DataStore<GloballyOrderedMessageStore>;

/** The store of this backend in a folder; "process" means something to SQLite only. */
export function openBackend(
  backend: Backend,
  folder: string,
  durability: "power" | "process" = "power",
): Promise<Store> {
  if (backend === "sqlite") return SqliteDataStore.open({ path: join(folder, "holdfast.db"), durability });
  return FilesystemDataStore.open({ directory: join(folder, "store") });
}

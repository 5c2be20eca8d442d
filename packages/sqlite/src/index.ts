export * from "@holdfast/core";
export { SqliteDataStore, type SqliteOptions } from "./sqlite-data-store.ts";

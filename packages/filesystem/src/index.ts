export * from "@holdfast/core";
export { FilesystemDataStore, type FilesystemOptions } from "./filesystem-data-store.ts";

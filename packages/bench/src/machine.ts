import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { cpus, homedir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";

const TMPFS = 0x01021994;

/** Where the bench keeps what it must not install into the workspace, and its databases: on a real disk, or not at all. */
export const CACHE = process.env["HOLDFAST_BENCH_DIR"] ?? join(homedir(), ".cache", "holdfast");

export function scratchFolder(): string {
  mkdirSync(CACHE, { recursive: true });
  if (statfsSync(CACHE).type === TMPFS) {
    throw new Error(`${CACHE} is a tmpfs, where a sync costs nothing: set HOLDFAST_BENCH_DIR to a folder on a disk`);
  }
  return mkdtempSync(join(CACHE, "bench-"));
}

export function describeMachine(): string {
  const db = new Database(":memory:");
  const sqlite = String(db.prepare("SELECT sqlite_version()").pluck().get());
  db.close();
  const driver = JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve("better-sqlite3/package.json"), "utf8"),
  ) as {
    readonly version: string;
  };
  const [cpu] = cpus();
  return `Node ${process.version}, SQLite ${sqlite}, better-sqlite3 ${driver.version}; ${cpus().length} x ${cpu?.model ?? "?"}; ${process.platform} ${process.arch}`;
}

/** How often a second this disk makes 4 KiB at the end of a file durable, now. */
export function syncsPerSecond(folder: string): number {
  const file = openSync(join(folder, "sync"), "w");
  const block = Buffer.alloc(4096, 1);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < 150) {
    writeSync(file, block);
    fdatasyncSync(file);
    count += 1;
  }
  const seconds = (performance.now() - started) / 1000;
  closeSync(file);
  return count / seconds;
}

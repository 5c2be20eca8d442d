import { openBackend } from "./backends.ts";

/** What an opening took, in a process of its own. */
export interface Opened {
  readonly ms: number;
  /** More than before it, once the store is open. */
  readonly bytes: number;
}

/** Opens a filesystem store, and tells what it took. */
const [place = ""] = process.argv.slice(2);
const before = process.memoryUsage.rss();
const started = performance.now();
const store = await openBackend("filesystem", place);
const opened: Opened = { ms: performance.now() - started, bytes: process.memoryUsage.rss() - before };
process.send?.(opened);
await store.close();
process.disconnect();

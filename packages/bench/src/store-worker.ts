import { openBackend } from "./backends.ts";
import { order } from "./workload.ts";

/** What a worker is sent: to append for so long, one message after the other. */
export interface WorkerTask {
  readonly runMs: number;
}
export interface WorkerAnswer {
  readonly commits: number;
  /** The longest time between two of its acknowledgements, from its begin to its end. */
  readonly longestMs: number;
}

/** Another process that has a filesystem store open, and appends to a stream of its own when it is told. */
const [place = "", stream = ""] = process.argv.slice(2);
const store = await openBackend("filesystem", place);
let offset = await store.messages.nextOffset(stream);

process.on("message", async ({ runMs }: WorkerTask) => {
  let commits = 0;
  let longestMs = 0;
  let last = performance.now();
  for (const end = last + runMs; last < end; commits++) {
    await store.messages.appendMessages(stream, offset++, [order(offset)]);
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  answer({ commits, longestMs });
});
process.on("disconnect", () => void store.close());
process.send?.("open");

function answer(message: WorkerAnswer): void {
  process.send?.(message);
}

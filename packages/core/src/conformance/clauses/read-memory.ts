import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import { message, nextTurn } from "./fixtures.ts";
import { waysToOpen } from "./opened.ts";

const mebibyte = 1024 * 1024;

/** So many looks in a row that find no less, so far apart, tell that the process rests. */
const LOOKS = 5;
const LOOK_MS = 10;

/**
 * Bytes in use by this process's objects and buffers, after garbage collection, at rest: what a store works on in the
 * background is not held for a cursor.
 */
async function bytesInUse(collect: () => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let looks = 0; looks < LOOKS; looks++) {
    // What a settled call still holds is let go within a turn.
    await nextTurn();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    if (heapUsed + external < least - mebibyte) looks = 0;
    least = Math.min(least, heapUsed + external);
    await sleep(LOOK_MS);
  }
  return least;
}

/** Garbage collection on request, whatever flags the process was started with; undefined where the runtime has none. */
function garbageCollector(): (() => void) | undefined {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("globalThis.gc");
  return typeof collect === "function" ? () => void collect() : undefined;
}

export const memoryClause = clause(
  "R-11",
  "a cursor holds at most 16 MiB beyond the current message, however far behind it is.",
  check({ title: "cursors far behind", timeoutMs: 60_000, alone: true, costly: true }, async (context) => {
    const store = await context.store();
    const body = "x".repeat(mebibyte - 1024);
    // Twice the bound: a cursor that holds more than the bound, or all, is seen to.
    for (let offset = 0; offset < 36; offset += 6) {
      const batch = Array.from({ length: 6 }, (_, index) => message(`${offset + index} ${body}`));
      await store.messages.appendMessages("orders", offset, batch);
    }
    const collect = garbageCollector();
    isTrue(collect !== undefined, "the JavaScript engine collects garbage on request");
    for (const [way, open] of waysToOpen(store, "orders")) {
      const before = await bytesInUse(collect);
      const cursor = await open(0);
      let read = 0;
      for (const reads of [1, 8]) {
        for (let time = 0; time < reads; time++) await cursor.next();
        read += reads;
        const held = ((await bytesInUse(collect)) - before) / mebibyte;
        // One for the current message, one for what else the process did meanwhile.
        isTrue(
          held <= 16 + 2,
          `${way}: at most 16 MiB are held for a cursor beyond its current message`,
          `${held.toFixed(1)} MiB`,
        );
      }
      equal(cursor.offset(), read - 1, `${way}: the offset of the message that was read last`);
      isTrue(cursor.get().data === `${read - 1} ${body}`, `${way}: the message that was read last is the one written`);
      await cursor.close();
    }
  }),
);

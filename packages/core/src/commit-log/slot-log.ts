import { DriverFailure } from "../driver/driver-failure.ts";
import type { CommitLog, Position } from "./commit-log.ts";
import { Pace } from "./pace.ts";
import { SlotReader } from "./slot-log-reader.ts";
import { SlotWriter } from "./slot-log-writer.ts";
import type { Slots } from "./slots.ts";

/** How many slots are replaced at once. */
const PARALLEL = 16;

/**
 * Makes a log of a store that can create a name only if it is absent. The position of a block is the number of its slot,
 * and the first is 0.
 *
 * What it asks of the store, in requests: a lone append is one `create`; a look at an end where nothing is new is one
 * `read`; g new blocks are read once each, 16 at once, and their end is found by at most 2 + log2(g) reads that find
 * nothing. A lost race costs one more `create` and at most three reads.
 *
 * Any number of processes append at once, and none is left waiting for long: a winner yields (pace.ts).
 */
export function slotLog(slots: Slots): CommitLog {
  const { storeId, durable, noticeMs, maxGroupBytes, mergeAfter } = slots;
  const reader = new SlotReader(slots);
  const writer = new SlotWriter(slots, reader, new Pace());
  return {
    storeId,
    durable,
    noticeMs,
    maxGroupBytes,
    mergeAfter,
    start: 0,
    append: (block, deadline) => writer.append(block, deadline),
    read: (from, maxBytes) => asFailure(reader.page(from, maxBytes)),
    readBytes: (position, offset, length) => asFailure(reader.part(position, offset, length)),
    close: () => slots.close(),
    ...(slots.archive && { archive: slots.archive }),
    ...(slots.watch && { watch: slots.watch.bind(slots) }),
    ...(slots.replace && { forget: forgetting(slots.replace.bind(slots), reader) }),
  };
}

/**
 * Replaces merged blocks by stubs: those that were merged since this log was opened. A process that died between its
 * merge and its stubs leaves whole blocks behind, which take room and do no harm.
 */
function forgetting(replace: NonNullable<Slots["replace"]>, reader: SlotReader): (position: Position) => Promise<void> {
  let done = 0;
  const forget = async (slot: number) => {
    const stub = await reader.stub(slot);
    if (stub) await replace(slot, stub);
  };
  return async (position) => {
    for (let slot = Math.max(done, reader.begin); slot < position; slot += PARALLEL) {
      const count = Math.min(PARALLEL, position - slot);
      await asFailure(Promise.all(Array.from({ length: count }, (_, index) => forget(slot + index))));
    }
    done = Math.max(done, position);
  };
}

/** Whatever a store rejects with becomes the one error that the engine knows. */
async function asFailure<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (cause) {
    if (cause instanceof DriverFailure) throw cause;
    throw new DriverFailure("unavailable", "the store could not be reached: see the cause, and try again", { cause });
  }
}

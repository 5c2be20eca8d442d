import {
  type DataStore,
  DurableStateOffsetStore,
  type GloballyOrderedMessageStore,
  type MessageStream,
  type RecordedEnvelope,
  type StateAccess,
  type Transaction,
} from "@holdfast/sqlite";
import { COMMIT_FLIGHTS, commit, type Run } from "./commit.ts";
import type { FlightFlown } from "./import.ts";

/** What is kept of one airport: sums, so that they are exact whatever the batches were. */
export interface Figures {
  readonly flights: number;
  /** Of all the flights that left from there, together; early ones count below zero. */
  readonly delayMinutes: number;
  /** How many of them arrived more than 15 minutes late. */
  readonly late: number;
}

export const LATE_AFTER_MINUTES = 15;

const PREFIX = "figures-";

/** How many flights have been counted: the next global offset to read. */
export const countedFlights = (state: StateAccess) => new DurableStateOffsetStore(state).loadOffset("figures", "all");

/** Follows the whole store in global order, and waits for what is not there yet, until `total` flights are counted. */
export async function countFlights(
  store: DataStore<GloballyOrderedMessageStore>,
  total: number,
  run: Run,
): Promise<void> {
  let next = await countedFlights(store.state);
  let cursor = await store.messages.openGlobal<FlightFlown>(next, run);
  try {
    while (next < total) {
      const flights = await nextBatch(cursor, Math.min(COMMIT_FLIGHTS, total - next));
      next = await commit(store, (tx) => countBatch(tx, flights));
      run.onProgress(next);
      if (next === cursor.offset() + 1) continue;
      // Another demo counted these flights, and maybe more: go on behind it.
      await cursor.close();
      cursor = await store.messages.openGlobal<FlightFlown>(next, run);
    }
  } finally {
    await cursor.close();
  }
}

/** Waits for one message, then takes what is there. */
async function nextBatch(cursor: MessageStream<FlightFlown>, max: number): Promise<RecordedEnvelope<FlightFlown>[]> {
  await cursor.next();
  const batch = [cursor.get()];
  while (batch.length < max && (await cursor.tryNext())) batch.push(cursor.get());
  return batch;
}

/**
 * Adds the flights to their airports' figures and moves the offset, in one commit: a kill leaves all or nothing of it.
 * Adds nothing unless the batch begins at the offset. Gives the offset.
 */
async function countBatch(tx: Transaction, batch: readonly RecordedEnvelope<FlightFlown>[]): Promise<number> {
  const offsets = new DurableStateOffsetStore(tx.state);
  const offset = await offsets.loadOffset("figures", "all");
  if (offset !== batch[0]?.globalOffset) return offset;

  for (const [airport, flights] of Map.groupBy(batch, ({ data }) => data.origin)) {
    const { revision, state = NONE } = await tx.state.load<Figures>(PREFIX + airport);
    await tx.state.upsert(PREFIX + airport, revision, flights.map(({ data }) => data.delayMinutes).reduce(add, state));
  }
  await offsets.saveOffset("figures", "all", offset + batch.length);
  return offset + batch.length;
}

const NONE: Figures = { flights: 0, delayMinutes: 0, late: 0 };

function add(figures: Figures, delayMinutes: number): Figures {
  return {
    flights: figures.flights + 1,
    delayMinutes: figures.delayMinutes + delayMinutes,
    late: figures.late + (delayMinutes > LATE_AFTER_MINUTES ? 1 : 0),
  };
}

/** Every airport's figures, by its code. */
export async function loadFigures(store: DataStore): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>();
  for await (const id of store.state.listPersistenceIds({ prefix: PREFIX })) {
    const { state } = await store.state.load<Figures>(id);
    if (state !== undefined) figures.set(id.slice(PREFIX.length), state);
  }
  return figures;
}

import {
  createEnvelope,
  type DataStore,
  DurableStateOffsetStore,
  type Envelope,
  type StateAccess,
  type Transaction,
} from "@holdfast/sqlite";
import { COMMIT_FLIGHTS, commit, type Run } from "./commit.ts";
import type { Flight, ReadFlights } from "./flights.ts";

/** What the streams hold. */
export type FlightFlown = Envelope<Flight, "FlightFlown">;

/** Each airport has a stream of its own: the flights that left from there. */
export const streamOf = (airport: string) => `airport-${airport}`;

/** How many flights have been imported: the next row of the file to read. */
export const importedFlights = (state: StateAccess) => new DurableStateOffsetStore(state).loadOffset("import", "rows");

/** Appends the flights up to row `total` that are not in the store yet, batch by batch. */
export async function importFlights(
  store: DataStore,
  readFlights: ReadFlights,
  total: number,
  run: Run,
): Promise<void> {
  let row = await importedFlights(store.state);
  while (row < total) {
    run.signal.throwIfAborted();
    const flights = await readFlights(row, Math.min(COMMIT_FLIGHTS, total - row));
    row = await commit(store, (tx) => appendBatch(tx, flights));
    run.onProgress(row);
  }
}

/**
 * Appends the flights and moves the importer's position, in one commit: a kill leaves both or neither. Appends nothing
 * unless the batch begins at the position. Gives the position.
 */
async function appendBatch(tx: Transaction, flights: readonly Flight[]): Promise<number> {
  const offsets = new DurableStateOffsetStore(tx.state);
  const position = await offsets.loadOffset("import", "rows");
  if (position !== flights[0]?.row) return position;

  for (const [airport, departures] of Map.groupBy(flights, (flight) => flight.origin)) {
    const stream = streamOf(airport);
    await tx.messages.appendMessages(stream, await tx.messages.nextOffset(stream), departures.map(toEnvelope));
  }
  // This expects the position loaded above: if anyone saves it in between, this commit is refused.
  await offsets.saveOffset("import", "rows", position + flights.length);
  return position + flights.length;
}

/** The same row always makes the same message. */
function toEnvelope(flight: Flight): FlightFlown {
  return createEnvelope({
    type: "FlightFlown",
    id: `flight-${flight.row}`,
    createdAt: flight.departedAt,
    data: flight,
  });
}

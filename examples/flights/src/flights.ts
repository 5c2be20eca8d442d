import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** One row of the file: a flight in the United States in 2001. */
export interface Flight {
  /** Where it stands in the file, from 0: the name by which the importer knows it. */
  readonly row: number;
  /** When it really left. The file gives the airport's own clock without a zone; here it is written as if that were UTC. */
  readonly departedAt: string;
  /** How late it arrived; negative: early. */
  readonly delayMinutes: number;
  readonly distanceMiles: number;
  readonly origin: string;
  readonly destination: string;
}

/** Where a file of the npm package vega-datasets lies on this disk. */
export const dataset = (name: string) =>
  fileURLToPath(new URL(`../data/${name}`, import.meta.resolve("vega-datasets")));

/** About one row group of the file: smaller pages would unpack the same bytes again and again. */
const PAGE_ROWS = 250_000;

/** Reads `count` flights from row `from` on, in the order of the file, which is that of departure. */
export type ReadFlights = (from: number, count: number) => Promise<readonly Flight[]>;

/** Opens the 3,000,000 flights of `flights-3m.parquet`; holds one page of them in memory. */
export async function openFlights(): Promise<{ readonly rows: number; readonly read: ReadFlights }> {
  const file = await asyncBufferFromFile(dataset("flights-3m.parquet"));
  const metadata = await parquetMetadataAsync(file);
  let page = { number: -1, flights: [] as Flight[] };

  async function pageOf(row: number): Promise<readonly Flight[]> {
    const number = Math.floor(row / PAGE_ROWS);
    if (number !== page.number) {
      const rowStart = number * PAGE_ROWS;
      const rowEnd = Math.min(rowStart + PAGE_ROWS, Number(metadata.num_rows));
      const objects = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
      page = { number, flights: objects.map((columns, index) => toFlight(columns, rowStart + index)) };
    }
    return page.flights;
  }

  async function read(from: number, count: number): Promise<readonly Flight[]> {
    const index = from % PAGE_ROWS;
    const flights = (await pageOf(from)).slice(index, index + count);
    const missing = count - flights.length;
    return missing === 0 ? flights : [...flights, ...(await read(from + flights.length, missing))];
  }
  return { rows: Number(metadata.num_rows), read };
}

/** Integers come out of parquet as bigint, which JSON cannot hold. */
function toFlight(columns: Record<string, unknown>, row: number): Flight {
  const { date, delay, distance, origin, destination } = columns as {
    date: Date;
    delay: bigint;
    distance: bigint;
    origin: string;
    destination: string;
  };
  return {
    row,
    departedAt: date.toISOString(),
    delayMinutes: Number(delay),
    distanceMiles: Number(distance),
    origin,
    destination,
  };
}

/** The city of each airport, by its code. */
export async function readCities(): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(dataset("airports.csv"), "utf8")).split("\n");
  const fields = lines.map((line) => line.match(/"[^"]*"|[^,]+/g) ?? []);
  return new Map(fields.map(([code = "", , city = ""]) => [code, city]));
}

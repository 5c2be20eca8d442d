import { isDeepStrictEqual } from "node:util";
import type { DataStore } from "@holdfast/sqlite";
import { asyncBufferFromFile, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type Figures, LATE_AFTER_MINUTES } from "./figures.ts";
import { dataset } from "./flights.ts";
import { streamOf } from "./import.ts";

/** The figures of the file's first `count` flights by one plain loop over it: no store, no batches, nothing kept. */
export async function plainPass(count: number): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>();
  await parquetRead({
    file: await asyncBufferFromFile(dataset("flights-3m.parquet")),
    compressors,
    columns: ["origin", "delay"],
    rowEnd: count,
    onComplete(rows) {
      for (const [airport, delay] of rows as unknown as [string, bigint][]) {
        const { flights, delayMinutes, late } = figures.get(airport) ?? { flights: 0, delayMinutes: 0, late: 0 };
        figures.set(airport, {
          flights: flights + 1,
          delayMinutes: delayMinutes + Number(delay),
          late: late + (delay > LATE_AFTER_MINUTES ? 1 : 0),
        });
      }
    },
  });
  return figures;
}

/** What differs between the store and a plain pass over the file, one line each; nothing when all is well. */
export async function differences(
  store: DataStore,
  counted: ReadonlyMap<string, Figures>,
  flights: number,
): Promise<string[]> {
  const wanted = await plainPass(flights);
  const found: string[] = [];
  for (const airport of new Set([...wanted.keys(), ...counted.keys()])) {
    const [want, got] = [wanted.get(airport), counted.get(airport)];
    const appended = await store.messages.nextOffset(streamOf(airport));
    if (isDeepStrictEqual(want, got) && want?.flights === appended) continue;
    found.push(
      `${airport}: file ${JSON.stringify(want)}, store ${JSON.stringify(got)}, ${appended} flights in its stream`,
    );
  }
  return found;
}

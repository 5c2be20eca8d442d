/** The main job: real flights into SQLite, and each airport's delays out of them. README.md says how to run it. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type DataStore, type GloballyOrderedMessageStore, SqliteDataStore } from "@holdfast/sqlite";
import { differences } from "./check.ts";
import { countedFlights, countFlights, loadFigures } from "./figures.ts";
import { openFlights, type ReadFlights, readCities } from "./flights.ts";
import { importedFlights, importFlights } from "./import.ts";
import { picture } from "./picture.ts";
import { Progress, withCommas } from "./progress.ts";
import { allAirports, busiestAirports, period, table } from "./report.ts";

/** Ctrl-C, or a polite kill: the commits under way end, and the next run goes on behind them. */
class Interrupted extends Error {}

async function main(stop: AbortController): Promise<void> {
  const source = await openFlights();
  const { file, flights, fresh } = readArguments(source.rows);
  if (fresh) for (const suffix of ["", "-wal", "-shm"]) await rm(file + suffix, { force: true });
  await mkdir(dirname(file), { recursive: true });
  const store = await SqliteDataStore.open({ path: file });
  try {
    // A file that holds more flights already is counted and shown whole.
    const total = Math.max(flights, await importedFlights(store.state));
    await work(store, source.read, total, stop);
    await report(store, source.read, total, join(dirname(file), "delays-by-airport.svg"));
  } finally {
    await store.close();
  }
}

function readArguments(rows: number): { readonly file: string; readonly flights: number; readonly fresh: boolean } {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    options: {
      file: { type: "string", default: fileURLToPath(new URL("../out/flights.db", import.meta.url)) },
      flights: { type: "string", default: "250000" },
      fresh: { type: "boolean", default: false },
    },
  });
  const flights = Number(values.flights);
  if (!Number.isInteger(flights) || flights < 1 || flights > rows) {
    throw new Error(`--flights takes a whole number from 1 to ${rows}`);
  }
  return { file: resolve(values.file), flights, fresh: values.fresh };
}

/** Imports and counts at the same time: the count waits for what the import appends. */
async function work(
  store: DataStore<GloballyOrderedMessageStore>,
  readFlights: ReadFlights,
  total: number,
  stop: AbortController,
): Promise<void> {
  const [imported, counted] = [await importedFlights(store.state), await countedFlights(store.state)];
  const before = `${withCommas(imported)} imported and ${withCommas(counted)} counted flights`;
  if (counted === total) console.log(`Nothing left to do behind ${before} (--fresh starts over).`);
  else if (imported > 0) console.log(`Going on behind ${before}.`);
  const progress = new Progress(total, imported, counted);
  const { signal } = stop;
  const jobs = [
    importFlights(store, readFlights, total, { signal, onProgress: (flights) => progress.imported(flights) }),
    countFlights(store, total, { signal, onProgress: (flights) => progress.counted(flights) }),
  ];
  for (const job of jobs) job.catch((reason) => stop.abort(reason));
  await Promise.allSettled(jobs);
  if (counted < total) progress.end();
  signal.throwIfAborted();
}

/** The table, the picture, and the check against a plain pass over the file. */
async function report(store: DataStore, readFlights: ReadFlights, total: number, path: string): Promise<void> {
  const figures = await loadFigures(store);
  const airports = busiestAirports(figures, await readCities(), 25);
  const all = allAirports(figures);
  const [[first], [last]] = [await readFlights(0, 1), await readFlights(total - 1, 1)];
  const title = `${withCommas(all.flights)} flights, ${period(first, last)}: the ${airports.length} busiest airports`;
  await writeFile(path, picture(airports, all, title));
  console.log(`\n${title}, by share of late flights\n\n${table(airports, all)}\n\nPicture: ${path}`);
  const wrong = await differences(store, figures, total);
  if (wrong.length > 0) throw new Error(`the figures differ from a plain pass over the file:\n${wrong.join("\n")}`);
  console.log("Checked against a plain pass over the file: equal.");
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop.abort(new Interrupted()));
try {
  await main(stop);
} catch (error) {
  if (error instanceof Interrupted) {
    console.log("Stopped, with nothing lost. Run the same command again: it goes on from here.");
    process.exitCode = 130;
  } else {
    console.error(String(error));
    process.exitCode = 1;
  }
}

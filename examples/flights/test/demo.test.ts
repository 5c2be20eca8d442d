import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataStore, SqliteDataStore } from "@holdfast/sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { differences, plainPass } from "../src/check.ts";
import { countedFlights, countFlights, loadFigures } from "../src/figures.ts";
import { openFlights } from "../src/flights.ts";
import { type FlightFlown, importedFlights, importFlights } from "../src/import.ts";
import { runDemo } from "./run-demo.ts";

const FLIGHTS = 20_000;

let folder: string;
let file: string;
let args: readonly string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flights-"));
  file = join(folder, "flights.db");
  args = ["--file", file, "--flights", String(FLIGHTS)];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Each of the file's first flights is in the store once, and the figures are those of a plain pass. */
async function expectEachFlightOnce(store: DataStore): Promise<void> {
  const rows = new Set<number>();
  let messages = 0;
  for await (const { stream } of store.messages.listStreams({ prefix: "airport-" })) {
    const cursor = await store.messages.openStream<FlightFlown>(stream, 0);
    while (await cursor?.tryNext()) {
      const flight = cursor?.get();
      expect(`airport-${flight?.data.origin}`).toBe(stream);
      rows.add(flight?.data.row ?? -1);
      messages++;
    }
    await cursor?.close();
  }
  expect(messages).toBe(FLIGHTS);
  expect(rows.size).toBe(FLIGHTS);
  expect(Math.max(...rows)).toBe(FLIGHTS - 1);
  const figures = await loadFigures(store);
  expect(figures).toEqual(await plainPass(FLIGHTS));
  expect(await differences(store, figures, FLIGHTS)).toEqual([]);
}

async function expectFinished(): Promise<void> {
  const store = await SqliteDataStore.open({ path: file });
  try {
    await expectEachFlightOnce(store);
  } finally {
    await store.close();
  }
}

test("kill -9 at random moments loses no flight and counts none twice", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let kills = 0;
  for (let run = 0; run < 4; run++) {
    const killAt = 1 + random(2);
    // Progress comes right behind a commit: the delay spreads the kills over all moments between two of them.
    const delayMs = random(50);
    const { signal, output } = await runDemo(args, (lines, demo) => {
      if (lines === killAt) setTimeout(() => demo.kill("SIGKILL"), delayMs);
    });
    if (run > 0) expect(output).toMatch(/Going on behind|Nothing left to do/);
    if (signal === "SIGKILL") kills++;
  }
  // A run may its end before the kill reaches it, but not each of the first.
  expect(kills).toBeGreaterThanOrEqual(2);
  const { code, output } = await runDemo(args);
  expect(output).toContain("Checked against a plain pass over the file: equal.");
  expect(code).toBe(0);
  await expectFinished();
});

test("Ctrl-C stops cleanly and says how to go on; the next run goes on", async () => {
  const stopped = await runDemo(args, (lines, demo) => lines === 1 && demo.kill("SIGINT"));
  expect(stopped.code, stopped.output).toBe(130);
  expect(stopped.output).toContain("Run the same command again");
  expect(stopped.output).not.toContain("Checked");
  const { code, output } = await runDemo(args);
  expect(output).toContain("Going on behind");
  expect(output).toContain("plain pass over the file: equal.");
  expect(code).toBe(0);
  await expectFinished();
});

test("two demos started at once on one file count each flight once", async () => {
  const both = await Promise.all([runDemo(args), runDemo(args)]);
  for (const { code, output } of both) {
    // Neither began only when the other had done it all.
    expect(output).not.toContain("Nothing left to do");
    expect(output).toContain("plain pass over the file: equal.");
    expect(code).toBe(0);
  }
  await expectFinished();
});

test("two importers and two projections in a race are refused, go on, and count each flight once", async () => {
  const { read } = await openFlights();
  const stores = [await SqliteDataStore.open({ path: file }), await SqliteDataStore.open({ path: file })];
  let refused = 0;
  const run = { signal: new AbortController().signal, onProgress: () => {} };
  try {
    await Promise.all(
      stores.map(async (store) => {
        const observed = {
          messages: store.messages,
          state: store.state,
          transaction: (async (work) => {
            try {
              return await store.transaction(work);
            } catch (error) {
              refused++;
              throw error;
            }
          }) satisfies DataStore["transaction"],
        } as typeof store;
        await Promise.all([importFlights(observed, read, FLIGHTS, run), countFlights(observed, FLIGHTS, run)]);
      }),
    );
    const [store] = stores;
    if (!store) throw new Error("no store");
    expect(await importedFlights(store.state)).toBe(FLIGHTS);
    expect(await countedFlights(store.state)).toBe(FLIGHTS);
    expect(refused).toBeGreaterThan(0);
    await expectEachFlightOnce(store);
  } finally {
    for (const store of stores) await store.close();
  }
});

test("a finished file is shown again, a larger goal goes on, --fresh starts over, the picture stands alone", async () => {
  expect((await runDemo(["--file", file, "--flights", "3000"])).code).toBe(0);
  const again = await runDemo(["--file", file, "--flights", "2000"]);
  expect(again.output).toContain("Nothing left to do behind 3,000 imported and 3,000 counted flights");
  expect(again.output).toContain("plain pass over the file: equal.");
  const more = await runDemo(["--file", file, "--flights", "4500"]);
  expect(more.output).toContain("Going on behind 3,000 imported and 3,000 counted flights");
  const fresh = await runDemo(["--file", file, "--flights", "1500", "--fresh"]);
  expect(fresh.output).toMatch(/all \d+ airports +1,500 /);
  const svg = await readFile(join(folder, "delays-by-airport.svg"), "utf8");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).not.toMatch(/href|url\(|<script|NaN|undefined/);
});

test("what cannot be done is said in one line", async () => {
  for (const flights of ["many", "3000001"]) {
    const { code, output } = await runDemo(["--file", file, "--flights", flights]);
    expect(output).toBe("Error: --flights takes a whole number from 1 to 3000000");
    expect(code).toBe(1);
  }
  const { code, output } = await runDemo(["--file", folder]);
  expect(output).toMatch(/^\w+Error: .*$/);
  expect(code).toBe(1);
  expect((await runDemo(["--speed", "9"])).output).toMatch(/^TypeError.*Unknown option '--speed'.*$/);
});

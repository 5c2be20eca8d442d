import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openBackend, type Store } from "./backends.ts";
import type { Opened } from "./engine-opener.ts";
import { Holdfast } from "./holdfast.ts";
import { compare, median, ratio } from "./measure.ts";
import { format, printFigure, printFigures } from "./report.ts";
import { countSegmentReads } from "./segment-reads.ts";
import { Offsets, order } from "./workload.ts";

const MESSAGES = 1_000_000;
const STREAMS = 10_000;
const IDS = 100_000;
/** One stream in a store of twenty times its length. */
const LONG = 10_000;
const SHARE = 20;
const SIZES = [10_000, 100_000];
/** So many messages are read in each round, whatever the size. */
const READ = 1_000_000;
const OPENINGS = 5;
const REPLAY_ROUNDS = 5;
/** So many callers fill a store at once. */
const FILLERS = 2_000;
/** The merging has come to rest if nothing changed for so long. */
const REST_MS = 3_000;
const MIB = 1024 * 1024;

/** What the engine of the commit log needs, on files. */
export async function benchEngine(folder: string): Promise<void> {
  const large = join(folder, "large");
  await make(large, (store) => fill(store, MESSAGES, (index) => `stream-${index % STREAMS}`));
  await benchOpening(large);
  await benchIds(join(folder, "ids"));
  await benchLongStream(join(folder, "long"));
  await benchReplay(folder, large);
}

async function benchOpening(place: string): Promise<void> {
  console.log(`\nopening a store of ${format(MESSAGES)} messages in ${format(STREAMS)} streams`);
  const before = await openings(place);
  printFigure("with its checkpoint", median(before.map(({ ms }) => ms)) / 1000, "s", { atMost: 0.4 });
  printFigure("memory for it", median(before.map(({ bytes }) => bytes)) / MIB, "MiB", { atMost: 40 });
  const after = await openings(place, () => {
    const checkpoints = join(place, "store", "checkpoints");
    for (const name of readdirSync(checkpoints)) rmSync(join(checkpoints, name));
  });
  printFigure("without, rebuilding it", median(after.map(({ ms }) => ms)) / 1000, "s", { atMost: 6 });
}

async function benchIds(place: string): Promise<void> {
  await make(place, async (store) => {
    await each(IDS, async (index) => void (await store.state.upsert(`entity-${index}`, 0, { total: index })));
  });
  console.log(`\nopening a store of ${format(IDS)} persistence ids`);
  const opened = await openings(place);
  printFigure("memory for it", median(opened.map(({ bytes }) => bytes)) / MIB, "MiB", { atMost: 30 });
}

async function benchLongStream(place: string): Promise<void> {
  await make(place, (store) =>
    fill(store, LONG * SHARE, (index) => (index % SHARE === 0 ? "long" : `other-${index % 997}`)),
  );
  const segments = readdirSync(join(place, "store", "segments")).length;
  const counter = countSegmentReads();
  const store = await openBackend("filesystem", place);
  const before = counter.reads();
  const cursor = await store.messages.followStream("long", 0);
  let found = 0;
  while (await cursor.tryNext()) found += 1;
  const reads = counter.reads() - before;
  counter.stop();
  await store.close();
  if (found !== LONG || segments === 0) throw new Error(`${found} messages read, from ${segments} segments`);
  console.log(`\na stream of ${format(LONG)} messages, 1 in ${SHARE} of its store, merged into ${segments} segments`);
  printFigure("reads of each segment", reads / segments, "", { atMost: 2 });
}

/** In global order, the whole of stores of three lengths. */
async function benchReplay(folder: string, large: string): Promise<void> {
  const places = SIZES.map((size) => ({ size, place: join(folder, `replay-${size}`) }));
  for (const { size, place } of places)
    await make(place, (store) => fill(store, size, (index) => `stream-${index % STREAMS}`));
  const stores = await Promise.all(
    [...places, { size: MESSAGES, place: large }].map(async ({ size, place }) => ({
      size,
      ours: await Holdfast.open("filesystem", place),
    })),
  );
  const contenders = stores.map(({ size, ours }) => ({
    name: `of ${format(size)} messages`,
    run: async () => {
      for (let left = READ; left > 0; left -= size) {
        const found = await ours.replay(0, size);
        if (found !== size) throw new Error(`read ${found} messages of ${size}`);
      }
    },
  }));
  const result = await compare(folder, contenders, { rounds: REPLAY_ROUNDS, count: READ });
  const [shortest, ...longer] = result.figures;
  if (shortest === undefined) throw new Error("a figure is missing");
  printFigures("replay of the whole store", result, { unit: "messages/s", to: shortest.name, goals: {} });
  const slowdowns = longer.map((figure) => ratio(shortest, figure) - 1);
  printFigure("slower in the longer ones, at worst by", Math.max(...slowdowns), "", { atMost: 0.2 });
  for (const { ours } of stores) await ours.close();
}

/** Fills a store, and waits until it is merged and at rest. */
async function make(place: string, work: (store: Store) => Promise<void>): Promise<void> {
  mkdirSync(place);
  const store = await openBackend("filesystem", place);
  await work(store);
  const state = () => ["segments", "checkpoints"].flatMap((part) => readdirSync(join(place, "store", part))).join();
  for (let before = "", now = state(); before !== now; now = state()) {
    before = now;
    await sleep(REST_MS);
  }
  await store.close();
}

async function fill(store: Store, count: number, streamOf: (index: number) => string): Promise<void> {
  const offsets = new Offsets();
  await each(count, (index) => {
    const stream = streamOf(index);
    return store.messages.appendMessages(stream, offsets.take(stream, 1), [order(index)]);
  });
}

/** Many callers at once, each with the next piece of work. */
async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: FILLERS }, caller));
}

/** Several, each in a fresh process. */
async function openings(place: string, prepare: () => void = () => undefined): Promise<readonly Opened[]> {
  const found: Opened[] = [];
  for (let opening = 0; opening < OPENINGS; opening++) {
    prepare();
    const opener = fork(fileURLToPath(new URL("./engine-opener.ts", import.meta.url)), [place], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    const gone = once(opener, "exit");
    const [opened] = (await once(opener, "message")) as [Opened];
    found.push(opened);
    await gone;
  }
  return found;
}

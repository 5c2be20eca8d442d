import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { Context, Place } from "../clause.ts";
import { check, clause } from "../define.ts";
import { ClauseViolation, equal, isTrue } from "../expect.ts";
import { collect, message, readAll } from "./fixtures.ts";
import { present, readOrder } from "./opened.ts";

const places = 24;
const streams = ["orders", "payments", "shipments"];
const ids = ["order-1", "order-2", "order-3", "order-4"];

/** Every read that a program can make, by name. */
const reads: Readonly<Record<string, (store: DataStore) => Promise<unknown>>> = {
  listStreams: async (store) =>
    (await collect(store.messages.listStreams())).map(({ stream, nextOffset }) => `${stream} ${nextOffset}`).sort(),
  listPersistenceIds: async (store) => (await collect(store.state.listPersistenceIds())).sort(),
  nextGlobalOffset: async (store) => (hasGlobalOrder(store) ? store.messages.nextGlobalOffset() : undefined),
  openGlobal: async (store) => (hasGlobalOrder(store) ? (await readOrder(store)).map(present) : undefined),
  ...Object.fromEntries(
    streams.map((stream) => [`nextOffset of ${stream}`, (store: DataStore) => store.messages.nextOffset(stream)]),
  ),
  ...Object.fromEntries(
    streams.map((stream) => [
      `openStream of ${stream}`,
      async (store: DataStore) => (await readAll(store, stream)).map(present),
    ]),
  ),
  ...Object.fromEntries(ids.map((id) => [`load of ${id}`, (store: DataStore) => store.state.load(id)])),
};

async function populate(store: DataStore): Promise<void> {
  for (let batch = 0; batch < 6; batch++) {
    const appends = streams.map((stream) => {
      const envelopes = [0, 1].map((index) => message({ stream, number: batch * 2 + index, note: "n".repeat(120) }));
      return store.messages.appendMessages(stream, batch * 2, envelopes);
    });
    const upserts = ids.map((id) => store.state.upsert(id, batch, { id, batch, note: "s".repeat(120) }));
    await Promise.all([...appends, ...upserts]);
  }
  await store.state.delete("order-4", 6);
}

async function readEverything(store: DataStore): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const [name, read] of Object.entries(reads)) found.set(name, await read(store));
  return found;
}

/** Right data, or CorruptionError: gives whether it was the error. */
async function rightOrLoud(call: () => Promise<unknown>, wanted: unknown, what: string): Promise<boolean> {
  let got: unknown;
  try {
    got = await call();
  } catch (error) {
    if ((error as { code?: unknown }).code === "HOLDFAST_CORRUPTION") return true;
    throw new ClauseViolation(what, "right data, or CorruptionError", error);
  }
  equal(got, wanted, what);
  return false;
}

/** The store on a damaged place; undefined where CorruptionError told of it at open. */
async function openedOrLoud(place: Place, seed: number): Promise<DataStore | undefined> {
  try {
    return await place.open();
  } catch (error) {
    if ((error as { code?: unknown }).code === "HOLDFAST_CORRUPTION") return undefined;
    throw new ClauseViolation(`open after damage ${seed}`, "a store, or CorruptionError", error);
  }
}

/** Damages a place of its own with one seed; gives whether anything told of it. */
async function damageOnce(context: Context, seed: number): Promise<boolean> {
  const place = await context.place();
  const store = await place.open();
  await populate(store);
  const wanted = await readEverything(store);
  await store.close();
  await context.faults.damage?.(place.name, seed);
  const damaged = await openedOrLoud(place, seed);
  if (damaged === undefined) return true;
  let told = 0;
  for (const [name, read] of Object.entries(reads)) {
    if (await rightOrLoud(() => read(damaged), wanted.get(name), `${name} after damage ${seed}`)) told += 1;
  }
  await damaged.close();
  return told > 0;
}

export const damageClause = clause(
  "L-4",
  "damage is loud: `CorruptionError`, never wrong data.",
  check(
    { title: "damaged bytes, many ways", level: "fault", needs: { durable: true }, hook: "damage", timeoutMs: 90_000 },
    async (context) => {
      const first = context.random.integer(2 ** 30);
      let loud = 0;
      for (let seed = first; seed < first + places; seed++) if (await damageOnce(context, seed)) loud += 1;
      isTrue(loud >= places / 4, `damage was told at least in a quarter of ${places} damaged places`, loud);
    },
  ),
);

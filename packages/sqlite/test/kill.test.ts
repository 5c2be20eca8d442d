import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SqliteDataStore } from "@holdfast/sqlite";
import { expect, test } from "vitest";
import { Child } from "./child.ts";
import { Numbers } from "./numbers.ts";
import { freshFolder } from "./place.ts";

const KILLS = 20;
const SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);

interface Acknowledged {
  readonly stream: string;
  readonly next: number;
  readonly revision: number;
}
interface Data {
  readonly life: string;
  readonly batch: number;
  readonly size: number;
  readonly index: number;
}

test(`W-10: what was acknowledged survives kill -9, ${KILLS} times (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const folder = await freshFolder();
  const path = join(folder, "store.db");
  const numbers = new Numbers(SEED);
  const acknowledged = new Map<string, Acknowledged>();
  let acknowledgements = 0;
  for (let life = 0; life < KILLS; life++) {
    const child = new Child("append-until-killed", [path, String(life)]);
    const told = [await child.next<Acknowledged>()];
    await new Promise((resolve) => setTimeout(resolve, numbers.below(60)));
    await child.kill();
    told.push(...(await child.rest<Acknowledged>()));
    acknowledgements += told.length;
    for (const one of told) if (one !== undefined) acknowledged.set(one.stream, one);
    await inspect(path, acknowledged);
  }
  expect(acknowledgements).toBeGreaterThan(KILLS * 4);
  await rm(folder, { recursive: true });
});

/** Everything acknowledged is there, offsets are dense, no batch is torn, and a state is what its messages say. */
async function inspect(path: string, acknowledged: ReadonlyMap<string, Acknowledged>): Promise<void> {
  const store = await SqliteDataStore.open({ path });
  for (const { stream, next, revision } of acknowledged.values()) {
    expect(await store.messages.nextOffset(stream), `life of ${stream}`).toBeGreaterThanOrEqual(next);
    const record = await store.state.load<{ readonly upTo: number }>(stream);
    expect(record.revision).toBeGreaterThanOrEqual(revision);
  }
  const all = await store.messages.openGlobal(0);
  const next = new Map<string, number>();
  let open: Data | undefined;
  for (let global = 0; await all.tryNext(); global++) {
    const { stream, offset, globalOffset, data } = all.get() as unknown as {
      readonly stream: string;
      readonly offset: number;
      readonly globalOffset: number;
      readonly data: Data;
    };
    expect(globalOffset).toBe(global);
    expect(offset).toBe(next.get(stream) ?? 0);
    next.set(stream, offset + 1);
    const follows = open === undefined ? data.index === 0 : data.batch === open.batch && data.index === open.index + 1;
    expect(follows, `a torn batch at global offset ${global}`).toBe(true);
    open = data.index + 1 === data.size ? undefined : data;
  }
  expect(open, "a torn batch at the end").toBeUndefined();
  for await (const { stream, nextOffset } of store.messages.listStreams()) expect(nextOffset).toBe(next.get(stream));
  await store.close();
}

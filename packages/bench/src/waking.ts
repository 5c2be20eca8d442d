import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Backend, openBackend, type Store } from "./backends.ts";
import { percentile } from "./measure.ts";
import { verdictBelow } from "./report.ts";
import { order } from "./workload.ts";

const TRIES = 500;
const FOREIGN_TRIES = 300;
const IDLE_MS = 8_000;

export interface WakingGoals {
  readonly foreignP50Ms: number;
  readonly foreignP99Ms?: number;
}

/** How soon a waiting reader has a message, once its append is acknowledged; and what waiting costs. */
export async function benchWaking(folder: string, backend: Backend, goals: WakingGoals): Promise<void> {
  const place = join(folder, "waking");
  mkdirSync(place);
  const store = await openBackend(backend, place);
  console.log(`\nfrom the acknowledgement to the waiting reader (${backend})`);
  await benchOwn(store);
  await benchForeign(store, [backend, place], goals);
  await benchIdle(store);
  await store.close();
}

async function benchOwn(store: Store): Promise<void> {
  const cursor = await store.messages.followStream("own", 0);
  const delays: number[] = [];
  for (let index = 0; index < TRIES; index++) {
    const read = cursor.next().then(() => performance.now());
    await new Promise((resolve) => setImmediate(resolve));
    await store.messages.appendMessages("own", index, [order(index)]);
    const acknowledged = performance.now();
    delays.push(Math.max(0, (await read) - acknowledged));
  }
  await cursor.close();
  print("in the same process", delays, `p99 ${verdictBelow(percentile(delays, 99), 1)}`);
}

async function benchForeign(store: Store, where: readonly string[], goals: WakingGoals): Promise<void> {
  const writer = fork(
    fileURLToPath(new URL("./waking-writer.ts", import.meta.url)),
    [...where, String(FOREIGN_TRIES)],
    {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    },
  );
  const cursor = await store.messages.followStream("foreign", 0);
  const readAt: number[] = [];
  const acknowledgedAt: number[] = [];
  writer.on("message", (at: number) => acknowledgedAt.push(at));
  for (let index = 0; index < FOREIGN_TRIES; index++) {
    await cursor.next();
    readAt.push(performance.timeOrigin + performance.now());
  }
  await once(writer, "exit");
  await cursor.close();
  const delays = readAt.map((at, index) => Math.max(0, at - (acknowledgedAt[index] ?? Number.NaN)));
  const p99 =
    goals.foreignP99Ms === undefined ? "" : `, p99 ${verdictBelow(percentile(delays, 99), goals.foreignP99Ms)}`;
  print("in another process", delays, `p50 ${verdictBelow(percentile(delays, 50), goals.foreignP50Ms)}${p99}`);
}

/** With a reader waiting and nobody writing. */
async function benchIdle(store: Store): Promise<void> {
  const cursor = await store.messages.followStream("idle", 0);
  const stop = new AbortController();
  const waiting = cursor.next({ signal: stop.signal }).catch(() => undefined);
  await sleep(200);
  const before = process.cpuUsage();
  await sleep(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  stop.abort();
  await waiting;
  const percent = ((user + system) / 1000 / IDLE_MS) * 100;
  console.log(
    `  a process with a waiting reader, nobody writing: ${percent.toFixed(2)} % of a core  ${verdictBelow(percent, 1)}`,
  );
}

function print(name: string, delays: readonly number[], judged: string): void {
  const [p50, p99] = [percentile(delays, 50), percentile(delays, 99)];
  console.log(`  ${name.padEnd(24)} p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${delays.length}  ${judged}`);
}

import { encodeBlock } from "../../src/commit-log/block.ts";
import type { CommitLog } from "../../src/commit-log/commit-log.ts";
import type { Envelope } from "../../src/contract/envelope.ts";
import { interceptCommits } from "../../src/store/driver-data-store.ts";
import { CALM, Network } from "./network.ts";
import type { Outcome } from "./run.ts";
import { activate, Scheduler } from "./scheduler.ts";
import { openStore, SimulatedProcess, type Store } from "./simulated-process.ts";
import { SlotWorld } from "./slot-world.ts";

const PROCESSES = 4;
const LATENCY_MS = 15;
/** Requests take equally long, but for so much of it. */
const JITTER = 0.001;
const SPAN_MS = 20_000;
const LEAST_FAIRNESS = 0.25;
const LONGEST_WAIT_MS = 2_000;
const MAX_STEPS = 2_000_000;
const CREATED_AT = "2026-01-01T00:00:00Z";

/**
 * Processes that race for slots where every request takes equally long: whoever won last would win for ever. Judged by
 * the fewest appends of a process over the most, and by the longest time that one was without any; first through the
 * log alone, then through whole stores, whose readers never rest.
 */
export async function simulateFairness(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const scheduler = new Scheduler(seed);
  activate(scheduler);
  const network = new Network(scheduler);
  network.trace = trace;
  network.weather = CALM;
  network.latencyMs = LATENCY_MS;
  network.jitter = JITTER;
  network.patienceMs = SPAN_MS;
  await race(network, "logs", appendBlocks);
  await race(network, "stores", async (log, won) => {
    const store = watched(network, await openStore(log, SPAN_MS));
    await Promise.all([lookForEver(store), appendMessages(store, won)]);
  });
  return { seed, kind: "fairness", violations: network.violations, counts: network.counts, hash: scheduler.hash };
}

/** One process begins first, alone: the others must get in. */
async function race(
  network: Network,
  what: string,
  work: (log: CommitLog, won: () => void) => Promise<void>,
): Promise<void> {
  const { scheduler } = network;
  const world = new SlotWorld(network);
  const began = scheduler.now;
  const wins = Array.from({ length: PROCESSES }, () => 0);
  const last = Array.from({ length: PROCESSES }, () => began + LONGEST_WAIT_MS / 2);
  let longestMs = 0;
  const processes = wins.map((_, index) => new SimulatedProcess(`p${index}`));
  for (const [index, process] of processes.entries()) {
    const won = () => {
      longestMs = Math.max(longestMs, scheduler.now - (last[index] ?? 0));
      last[index] = scheduler.now;
      wins[index] = (wins[index] ?? 0) + 1;
    };
    scheduler.after(index === 0 ? 0 : LONGEST_WAIT_MS / 2, process, () => {
      world
        .handle(false)
        .then((log) => work(log, won))
        .catch((error: unknown) => network.violate(`${process.name} met ${String(error)}`));
    });
  }
  await scheduler.run(() => scheduler.now >= began + SPAN_MS, MAX_STEPS);
  for (const process of processes) process.alive = false;
  for (const at of last) longestMs = Math.max(longestMs, scheduler.now - at);
  const fairness = Math.min(...wins) / Math.max(...wins);
  const told = `${what}: ${wins.join(", ")} appends (${fairness.toFixed(2)}), at most ${Math.round(longestMs)} ms without one`;
  network.tell(() => told);
  if (fairness < LEAST_FAIRNESS || longestMs > LONGEST_WAIT_MS) network.violate(`fairness lost: ${told}`);
}

/** As fast as the log takes them. */
async function appendBlocks(log: CommitLog, won: () => void): Promise<void> {
  for (;;) {
    const appended = await log.append(encodeBlock([], [], undefined).bytes, performance.now() + SPAN_MS);
    if (appended.kind !== "appended") throw new Error(appended.kind);
    won();
  }
}

async function appendMessages(store: Store, won: () => void): Promise<void> {
  const stream = `s${Math.random()}`;
  for (let offset = 0; ; offset += 1) {
    const message: Envelope = { id: "m", type: "t", data: offset, createdAt: CREATED_AT };
    await store.messages.appendMessages(stream, offset, [message]);
    won();
  }
}

async function lookForEver(store: Store): Promise<void> {
  for (;;) await store.messages.nextGlobalOffset();
}

/** Where no reply is lost, no outcome is in doubt. */
function watched(network: Network, store: Store): Store {
  interceptCommits(store, async (commits, deadline, next) => {
    const outcomes = await next(commits, deadline);
    for (const { kind } of outcomes) if (kind !== "committed") network.violate(`no reply was lost, and yet: ${kind}`);
    return outcomes;
  });
  return store;
}

import type { CommitLog } from "../../src/commit-log/commit-log.ts";
import { openLogDriver } from "../../src/commit-log/log-driver.ts";
import { checkHistory } from "../../src/conformance/history/check.ts";
import type { Operation } from "../../src/conformance/history/history.ts";
import { MERGE_AT_ONCE, MERGE_EACH } from "./archive-world.ts";
import { Client } from "./client.ts";
import type { Counts } from "./counts.ts";
import { damage } from "./damage.ts";
import type { Desk } from "./desk.ts";
import { contentsOf, differenceOf, finalStateOf } from "./final.ts";
import { LogWorld, mustReopen } from "./log-world.ts";
import { CALM, Network, type Weather } from "./network.ts";
import { Recorder } from "./recorder.ts";
import { activate, realTurn, Scheduler } from "./scheduler.ts";
import { isCorruption, isUnavailable, openStore, SimulatedProcess } from "./simulated-process.ts";
import { SlotWorld } from "./slot-world.ts";

/** "echoes": slots, where requests arrive twice, and what was written is merged at once. */
export type Kind = "log" | "slots" | "echoes" | "fairness";

/** What a run told of itself. */
export interface Outcome {
  readonly seed: number;
  readonly kind: Kind;
  readonly violations: readonly string[];
  readonly counts: Counts;
  /** Of all events and of the history: the same for the same seed. */
  readonly hash: string;
}

const DAMAGES = 2;
const CLIENTS_A_PROCESS = 2;
const MAX_STEPS = 200_000;
/** Longer than the latest delivery. */
const QUIET_MS = 60_000;
/** So long that what no checkpoint names any more may go, and what none ever named. */
const AN_HOUR_MS = 3_700_000;
const A_DAY_MS = 90_000_000;
/** How often, for each operation, a process crashes, stands still, or is closed. */
const CRASHES = 0.025;
const PAUSES = 0.01;
const CLOSES = 0.004;

/** One seed: processes that write and read through a bad network, then quiet, then judgement. */
export async function simulate(
  seed: number,
  kind: Kind,
  operations: number,
  trace?: (line: string) => void,
): Promise<Outcome> {
  const scheduler = new Scheduler(seed * 2 + (kind === "log" ? 0 : 1));
  activate(scheduler);
  const network = new Network(scheduler);
  network.trace = trace;
  const run = new Run(network, kind, operations);
  let ended = false;
  scheduler.after(0, scheduler.world, () => {
    run.whole().then(
      () => {
        ended = true;
      },
      (error: unknown) => {
        network.violate(`the run met ${error instanceof Error ? error.stack : String(error)}`);
        ended = true;
      },
    );
  });
  const unhandled = (reason: unknown) =>
    network.violate(`a rejection was not handled: ${reason instanceof Error ? reason.stack : String(reason)}`);
  process.on("unhandledRejection", unhandled);
  if (!(await scheduler.run(() => ended, MAX_STEPS))) {
    network.violate(`after ${scheduler.steps} events the run has not ended: ${run.doing}`);
  }
  await realTurn();
  process.off("unhandledRejection", unhandled);
  const { counts, violations } = network;
  Object.assign(counts, { runs: 1, events: scheduler.steps, operations: run.operations });
  for (const operation of run.history) scheduler.mixText(JSON.stringify(operation));
  return { seed, kind, violations, counts, hash: scheduler.hash };
}

class Run {
  readonly #network: Network;
  readonly #scheduler: Scheduler;
  readonly #world: LogWorld | SlotWorld;
  readonly #recorder = new Recorder();
  readonly #desk: Desk;
  readonly #echoes: boolean;
  readonly #living = new Set<SimulatedProcess>();
  #left: number;
  #started = 0;
  #atEnd: (() => void) | undefined;
  /** What it is about: for the news that it hangs. */
  doing = "starting";

  constructor(network: Network, kind: Kind, operations: number) {
    this.#network = network;
    this.#scheduler = network.scheduler;
    this.#world = kind === "log" ? new LogWorld(network) : new SlotWorld(network);
    this.#left = operations;
    this.#echoes = kind === "echoes" || network.chance(0.15);
    if (kind === "echoes") this.#world.mergeAfter = MERGE_EACH;
    else if (network.chance(0.15)) this.#world.mergeAfter = MERGE_AT_ONCE;
    const { random } = this.#scheduler;
    this.#desk = { network, random, recorder: this.#recorder, journal: [], readers: 0, tokens: 0 };
    this.#world.archive.onCheckpoint = () => {
      if (this.#desk.readers > 0) network.counts.mergesUnderReader += 1;
    };
  }

  get history(): readonly Operation[] {
    return this.#recorder.operations;
  }

  get operations(): number {
    return this.#started;
  }

  async whole(): Promise<void> {
    const { random } = this.#scheduler;
    this.#network.weather = badWeather(random.next(), random.next(), this.#echoes);
    this.#network.latencyMs = random.pick([0.2, 0.5, 2]);
    const processes = 3 + random.integer(4);
    const asleepMs = random.pick([AN_HOUR_MS, A_DAY_MS]);
    if (random.next() < 0.2)
      this.#scheduler.after(100, this.#scheduler.world, () => this.#scheduler.sleepThrough(asleepMs));
    this.doing = "running operations";
    const done = new Promise<void>((resolve) => {
      this.#atEnd = resolve;
    });
    for (let index = 0; index < processes; index += 1) this.#start(`p${index}`, random.next() * 20);
    await done;
    this.doing = "healing";
    this.#network.weather = CALM;
    this.#network.latencyMs = 0.2;
    await this.#scheduler.sleep(QUIET_MS);
    await this.#agree();
    await this.#judge();
  }

  // ---- processes

  #start(name: string, delayMs: number): void {
    const process = new SimulatedProcess(name);
    this.#living.add(process);
    this.#scheduler.after(delayMs, process, () => void this.#live(process));
  }

  async #live(process: SimulatedProcess): Promise<void> {
    const store = await this.#open(process);
    if (store === undefined) return this.#gone(process, false);
    process.store = store;
    const clients = Array.from(
      { length: CLIENTS_A_PROCESS },
      (_, index) => new Client(this.#desk, process, store, `${process.name}.${index}`),
    );
    await Promise.all(clients.map((client) => this.#work(process, client)));
    if (process.stopping) await this.#close(process);
    this.#gone(process, process.stopping && this.#left > 0);
  }

  async #open(process: SimulatedProcess): Promise<SimulatedProcess["store"]> {
    for (;;) {
      try {
        process.log = await this.#world.handle();
        return await openStore(process.log);
      } catch (error) {
        if (!isUnavailable(error)) {
          this.#network.violate(`open met ${error instanceof Error ? error.stack : String(error)}`);
          return undefined;
        }
      }
      await this.#scheduler.sleep(5 + this.#scheduler.random.integer(20));
    }
  }

  async #work(process: SimulatedProcess, client: Client): Promise<void> {
    const { random } = this.#scheduler;
    while (this.#left > 0 && !process.stopping) {
      this.#left -= 1;
      this.#started += 1;
      const drawn = random.next();
      if (drawn < CRASHES) this.#scheduler.after(random.next() * 15, this.#scheduler.world, () => this.#crash(process));
      else if (drawn < CRASHES + PAUSES) this.#scheduler.pause(process, 10 + random.integer(300));
      else if (drawn < CRASHES + PAUSES + CLOSES) process.stopping = true;
      await client.operation();
      if (random.next() < 0.3) await this.#scheduler.sleep(random.next() * 10);
    }
  }

  #crash(process: SimulatedProcess): void {
    if (!process.alive || this.#left === 0) return;
    process.alive = false;
    this.#network.counts.crashes += 1;
    this.#network.tell(() => `crash ${process.name}`);
    for (const open of process.inFlight) this.#recorder.commit(open, { kind: "unknown" });
    this.#living.delete(process);
    this.#start(process.name, this.#scheduler.random.next() * 30);
  }

  async #close(process: SimulatedProcess): Promise<void> {
    const cursors = process.follower;
    if (cursors !== undefined && cursors !== "busy") await cursors.cursor.close();
    await process.store?.close();
    this.#living.delete(process);
  }

  /** Told by a process that has nothing more to do: it waits for the end, or starts anew. */
  #gone(process: SimulatedProcess, again: boolean): void {
    if (again) {
      this.#start(process.name, this.#scheduler.random.next() * 30);
      return;
    }
    process.idle = true;
    if (this.#left > 0 || [...this.#living].some((each) => !each.idle)) return;
    this.#scheduler.after(0, this.#scheduler.world, () => this.#atEnd?.());
  }

  // ---- judgement

  /** All who are left are woken by one last write, and have seen it all: each of them is asked. */
  async #agree(): Promise<void> {
    const { violate } = bound(this.#network);
    const stores = [...this.#living].flatMap((each) => each.store ?? []);
    this.doing = "waking readers";
    const woken = stores.map(async (store) => {
      const next = await store.messages.nextGlobalOffset();
      const cursor = await store.messages.openGlobal(next);
      const wait = { until: this.#scheduler.now + 5_000 };
      await this.#scheduler.sleep(20);
      await Promise.race([cursor.next(), this.#scheduler.sleep(wait.until - this.#scheduler.now)]);
      if (this.#scheduler.now >= wait.until)
        violate("R-5: a waiting reader was not woken by the write of another process");
      await cursor.close();
    });
    await this.#scheduler.sleep(50);
    const writer = new SimulatedProcess("w0");
    writer.log = await this.#world.handle();
    writer.store = await openStore(writer.log);
    this.#living.add(writer);
    for (const each of this.#living) await this.#writeLast(each);
    await Promise.all(woken);
    this.doing = "closing";
    const contents = await Promise.all(stores.map((store) => finalStateOf(store)));
    for (const { store } of this.#living) await store?.close();
    const [first, ...others] = contents.map((each) => JSON.stringify(each));
    for (const other of others) if (other !== first) violate(`processes disagree:\n  ${first}\n  ${other}`);
  }

  /** Whatever a process went through: once all is well it can write again. */
  async #writeLast({ store, log }: SimulatedProcess): Promise<void> {
    const stream = "last";
    const called = this.#recorder.tick();
    try {
      const offset = (await store?.messages.nextOffset(stream)) ?? 0;
      const token = `last ${offset}`;
      const message = { id: token, type: "t", data: { token }, createdAt: "2026-01-01T00:00:00Z" };
      await store?.messages.appendMessages(stream, offset, [message]);
      const writes = [{ kind: "append", stream, offset, tokens: [token] }] as const;
      if (store !== undefined) this.#recorder.commit({ client: stream, called, writes }, { kind: "ok" });
    } catch (error) {
      const told = error instanceof Error && "code" in error ? error.code : "";
      if (told !== "HOLDFAST_REOPEN" || !mustReopen(log))
        this.#network.violate(`all is well, and a write meets ${String(error)}`);
    }
  }

  async #judge(): Promise<void> {
    const { violate } = bound(this.#network);
    this.doing = "reading it all";
    const store = await openStore(await this.#world.handle());
    const final = await finalStateOf(store);
    await store.close();
    for (const { clauses, what, operations } of checkHistory(this.#recorder.operations, final)) {
      violate(`${clauses.join(", ")}: ${what}\n${operations.map((each) => `    ${JSON.stringify(each)}`).join("\n")}`);
    }
    const merged = await this.#contents(await this.#world.handle());
    const replayed = await this.#contents(await this.#world.unmerged());
    const lost = differenceOf(merged, replayed);
    if (lost !== undefined) violate(`merging changed what is there: ${lost}`);
    this.doing = "making the checkpoint again";
    this.#world.archive.checkpoint = undefined;
    const rebuilt = await this.#contents(await this.#world.handle());
    const changed = differenceOf(rebuilt, replayed);
    if (changed !== undefined) violate(`a checkpoint that was made again tells otherwise: ${changed}`);
    for (let left = DAMAGES; left > 0; left -= 1) await this.#damaged(JSON.stringify(final));
  }

  /** L-4: damage is found out, or does no harm. */
  async #damaged(final: string): Promise<void> {
    this.doing = "reading what is damaged";
    const damaged = damage(this.#world, this.#scheduler.random);
    if (damaged === undefined) return;
    const { what, mend } = damaged;
    this.#network.tell(() => `damage: ${what}`);
    try {
      const store = await openStore(await this.#world.handle());
      const told = JSON.stringify(await finalStateOf(store));
      await store.close();
      if (told !== final) this.#network.violate(`L-4: ${what}, and the store tells\n  ${told}\n  and not\n  ${final}`);
    } catch (error) {
      if (!isCorruption(error)) this.#network.violate(`L-4: ${what}, and the store met ${String(error)}`);
    }
    mend();
  }

  async #contents(log: CommitLog): Promise<readonly string[]> {
    const driver = await openLogDriver(log);
    const contents = await contentsOf(driver);
    await driver.close();
    return contents;
  }
}

function bound(network: Network): { readonly violate: (what: string) => void } {
  return { violate: (what) => network.violate(what) };
}

/** From a calm day to a storm. */
function badWeather(severity: number, slowness: number, echoes: boolean): Weather {
  const scale = 0.2 + severity;
  return {
    lost: 0.02 * scale,
    lostReply: 0.04 * scale,
    late: 0.03 * scale,
    failed: (echoes ? 0.1 : 0.02) * scale,
    twice: echoes ? 0.35 : 0.02 * scale,
    slow: 0.1 * slowness,
  };
}

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Numbers } from "@holdfast/test-kit";
import { type Backend, backendNamed } from "./backends.ts";
import { Chronicle, noTally, sumOf, type Tally } from "./chronicle.ts";
import { nowNs } from "./journal.ts";
import { Sweep } from "./sweep.ts";
import { killedAt } from "./trace.ts";
import { type Task, WorkerProcess } from "./worker-process.ts";

export interface KillPlan {
  readonly backend: string;
  /** Ends when so many processes were killed. */
  readonly kills: number;
  readonly seed: number;
  /** An empty folder. */
  readonly scratch: string;
  /** Whether system calls can be counted; else the kills come at random moments alone. */
  readonly isTraced: boolean;
  /** Every so many-th of each system call is tried. */
  readonly stride: number;
}

export interface Round {
  readonly backend: string;
  readonly number: number;
  readonly kills: number;
  /** Where the kills came, e.g. "fdatasync 3". */
  readonly aims: readonly string[];
  readonly broken: readonly string[];
}

export interface KillSum extends Tally {
  readonly kills: number;
  /** How many of them came at each system call. */
  readonly killsAt: Readonly<Record<string, number>>;
}

/** A sweep's victim commits so many times, and closes. */
const TURNS = 10;
const PATIENCE_MS = 60_000;

/** One process to be killed, and when. */
interface Victim {
  readonly worker: WorkerProcess;
  readonly aim: string;
  /** Resolves when it is dead, or has done all it should; with what is wrong about that. */
  readonly fate: Promise<string | undefined>;
  readonly sweep: Sweep | undefined;
}

/** Kills writers of one backend, again and again, and judges the store after each round. */
export async function killWriters(plan: KillPlan, report: (round: Round) => void): Promise<KillSum> {
  const campaign = new Campaign(plan);
  while (campaign.kills < plan.kills) report(await campaign.round());
  return campaign.sum();
}

class Campaign {
  kills = 0;
  readonly #plan: KillPlan;
  readonly #backend: Backend;
  readonly #numbers: Numbers;
  readonly #sweeps: readonly Sweep[];
  readonly #killsAt: Record<string, number> = {};
  #chronicle = new Chronicle();
  #past: Tally = noTally;
  #folder: string;
  #roundsLeft = 0;
  #rounds = 0;
  #aims = 0;

  constructor(plan: KillPlan) {
    this.#plan = plan;
    this.#backend = backendNamed(plan.backend);
    this.#numbers = new Numbers(plan.seed);
    this.#sweeps = plan.isTraced ? this.#backend.calls.map((call) => new Sweep(call, plan.stride, this.#numbers)) : [];
    this.#folder = plan.scratch;
    this.#begin();
  }

  /** Two writers are killed, in some rounds beside a third that must go on, and is killed in its turn. */
  async round(): Promise<Round> {
    if (this.#roundsLeft === 0) {
      rmSync(this.#folder, { recursive: true, force: true });
      this.#begin();
    }
    this.#roundsLeft -= 1;
    const number = this.#rounds++;
    const others = this.#numbers.below(3) === 0 ? [new WorkerProcess(this.#task(number, "w9"))] : [];
    const victims = [this.#attack(number, "w0"), this.#attack(number, "w1")];
    const broken: string[] = [];
    try {
      const fates = Promise.all(victims.map((victim) => victim.fate));
      broken.push(...(await within(PATIENCE_MS, fates)).filter((fate) => fate !== undefined));
      for (const other of others) await within(PATIENCE_MS, other.goesOn());
    } catch (error) {
      broken.push((error as Error).message);
    }
    const workers = [...victims.map(({ worker }) => worker), ...others];
    await Promise.all(workers.map((worker) => worker.kill()));
    for (const { task } of workers) this.#chronicle.add(task.journal, `${task.life}.${task.name}`, nowNs());
    const kills = this.#count(victims) + others.length;
    this.kills += kills;
    broken.push(...(await this.#chronicle.judge(this.#backend, this.#folder)));
    // What broke once would be found again after every later kill; it stays where it is.
    if (broken.length > 0) this.#begin();
    else for (const { task } of workers) rmSync(task.journal, { force: true });
    return { backend: this.#backend.name, number, kills, aims: victims.map(({ aim }) => aim), broken };
  }

  sum(): KillSum {
    return { kills: this.kills, killsAt: this.#killsAt, ...sumOf(this.#past, this.#chronicle.tally()) };
  }

  /** A new store; every other one is for the first writes alone. */
  #begin(): void {
    this.#past = sumOf(this.#past, this.#chronicle.tally());
    this.#chronicle = new Chronicle();
    this.#roundsLeft = this.#numbers.below(2) === 0 ? 1 : 2 + this.#numbers.below(8);
    this.#folder = join(this.#plan.scratch, `store-${this.#rounds}`);
    mkdirSync(this.#folder);
  }

  /** In turn: at a random moment, and at each of the system calls. */
  #attack(number: number, name: string): Victim {
    const sweep = this.#sweeps[this.#aims++ % (this.#sweeps.length + 1)];
    if (sweep === undefined) {
      const worker = new WorkerProcess(this.#task(number, name));
      return { worker, aim: "a random moment", sweep, fate: this.#killSoon(worker) };
    }
    const nth = sweep.next();
    const task = { ...this.#task(number, name), lanes: 1, turns: TURNS, seed: sweep.seed };
    const worker = new WorkerProcess(task, killedAt(sweep.call, nth));
    return { worker, aim: `${sweep.call} ${nth}`, sweep, fate: worker.ended() };
  }

  async #killSoon(worker: WorkerProcess): Promise<string | undefined> {
    await worker.hears("done");
    // Any moment will do: it is the random one that the test is about.
    await new Promise((resolve) => setTimeout(resolve, this.#numbers.below(60)));
    await worker.kill();
    return undefined;
  }

  #count(victims: readonly Victim[]): number {
    let killed = 0;
    for (const { worker, sweep } of victims) {
      if (worker.wasKilled) {
        killed += 1;
        const where = sweep?.call ?? "random";
        this.#killsAt[where] = (this.#killsAt[where] ?? 0) + 1;
      } else sweep?.survived();
    }
    return killed;
  }

  #task(number: number, name: string): Task {
    return {
      role: "writer",
      backend: this.#backend.name,
      folder: this.#folder,
      journal: join(this.#plan.scratch, `${number}-${name}.jsonl`),
      name,
      life: `k${number}`,
      seed: this.#numbers.below(2 ** 31),
      lanes: 1 + this.#numbers.below(4),
      maxFiller: 4_000,
    };
  }
}

async function within<T>(patienceMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a writer got nowhere for ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

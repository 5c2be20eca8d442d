import { rmSync } from "node:fs";
import { join } from "node:path";
import { Numbers } from "@holdfast/test-kit";
import { type Backend, backendNamed } from "./backends.ts";
import { Chronicle, noTally, sumOf, type Tally } from "./chronicle.ts";
import { Disk } from "./disk.ts";
import { slowSyncs } from "./trace.ts";
import { type Event, type Task, WorkerProcess } from "./worker-process.ts";

/**
 * When the power goes: when a new store is opened, when its first commit is acknowledged, when a reader is given the first
 * message; or while all are busy, on a fast or a slow disk.
 */
export type Moment = "opened" | "committed" | "given" | "busy" | "slow";

export interface CutPlan {
  readonly backend: string;
  readonly cuts: number;
  readonly seed: number;
  /** An empty folder on a disk that is not cut. */
  readonly scratch: string;
  /** Whether system calls can be altered, so that some disks are slow. */
  readonly isTraced: boolean;
  /** Every cut at this moment, and under these programs: for harnesses that must find a loss. */
  readonly sabotage?: Sabotage;
  /** Ends at the first cut that broke a promise. */
  readonly stopsAtFirst?: boolean;
}

export interface Sabotage {
  readonly moment: Moment;
  readonly writersUnder?: readonly string[];
  readonly readersUnder?: readonly string[];
}

export interface Cut {
  readonly backend: string;
  readonly number: number;
  readonly moment: Moment;
  readonly broken: readonly string[];
}

export interface CutSum extends Tally {
  readonly cuts: number;
}

const READERS = 2;

/** Cuts the power under one backend, again and again, and reports each cut as it was judged. Needs a mount namespace of its own. */
export async function cutPower(plan: CutPlan, report: (cut: Cut) => void): Promise<CutSum> {
  const campaign = new Campaign(plan);
  try {
    let isStopped = false;
    for (let number = 0; number < plan.cuts && !isStopped; number++) {
      const cut = await campaign.cut(number);
      report(cut);
      isStopped = plan.stopsAtFirst === true && cut.broken.length > 0;
    }
    return campaign.sum();
  } finally {
    await campaign.end();
  }
}

class Campaign {
  readonly #plan: CutPlan;
  readonly #backend: Backend;
  readonly #numbers: Numbers;
  readonly #disk: Disk;
  #chronicle = new Chronicle();
  /** How many cuts the present store still gets. */
  #cutsLeft = 0;
  #cuts = 0;
  /** Those of the last cut. */
  #journals: readonly string[] = [];
  #past: Tally = noTally;

  constructor(plan: CutPlan) {
    this.#plan = plan;
    this.#backend = backendNamed(plan.backend);
    this.#numbers = new Numbers(plan.seed);
    this.#disk = new Disk(plan.scratch);
  }

  async cut(number: number): Promise<Cut> {
    const isFresh = this.#cutsLeft === 0;
    if (isFresh) await this.#begin();
    this.#cutsLeft -= 1;
    const moment = this.#plan.sabotage?.moment ?? this.#moment(isFresh);
    let broken: readonly string[];
    try {
      await this.#crash(number, moment);
      broken = await this.#chronicle.judge(this.#backend, this.#disk.folder);
    } catch (error) {
      broken = [`before or at the cut: ${(error as Error).stack}`];
    }
    if (broken.length > 0) {
      // What broke once would be found again after every later cut.
      this.#cutsLeft = 0;
      await this.#disk.keep(join(this.#plan.scratch, `broken-${number}.img`));
    } else for (const journal of this.#journals) rmSync(journal, { force: true });
    this.#cuts += 1;
    return { backend: this.#backend.name, number, moment, broken };
  }

  sum(): CutSum {
    return { cuts: this.#cuts, ...sumOf(this.#past, this.#chronicle.tally()) };
  }

  async end(): Promise<void> {
    await this.#disk.unmount();
  }

  async #begin(): Promise<void> {
    this.#past = sumOf(this.#past, this.#chronicle.tally());
    this.#chronicle = new Chronicle();
    await this.#disk.erase();
    this.#cutsLeft = this.#plan.sabotage === undefined ? 1 + this.#numbers.below(4) : 1;
  }

  #moment(isFresh: boolean): Moment {
    const busy: readonly Moment[] = this.#plan.isTraced ? ["busy", "slow"] : ["busy"];
    const some: readonly Moment[] = isFresh ? ["opened", "committed", "given", ...busy] : busy;
    return some[this.#numbers.below(some.length)] ?? "busy";
  }

  async #crash(number: number, moment: Moment): Promise<void> {
    const trigger = await this.#disk.arm();
    const workers = this.#start(number, moment);
    this.#journals = workers.map(({ task }) => task.journal);
    let cutNs: number;
    try {
      await reached(moment, workers, this.#numbers.below(120));
      for (const worker of workers) this.#chronicle.opened(worker.storeIds);
      cutNs = await trigger.cut();
    } finally {
      await Promise.all(workers.map((worker) => worker.kill()));
      await trigger.disarm();
    }
    if (!(await this.#disk.unmount()))
      throw new Error("a store that was closed, or whose process was killed, is still open");
    this.#disk.mount();
    for (const { task } of workers) this.#chronicle.add(task.journal, `${task.life}.${task.name}`, cutNs);
  }

  #start(number: number, moment: Moment): readonly WorkerProcess[] {
    const { sabotage } = this.#plan;
    const slow = moment === "slow" ? slowSyncs(1 + this.#numbers.below(8)) : [];
    const maxFiller = [200, 2_000, 60_000][this.#numbers.below(3)] ?? 200;
    const task = (role: Task["role"], name: string): Task => ({
      role,
      backend: this.#backend.name,
      folder: this.#disk.folder,
      journal: join(this.#plan.scratch, `${number}-${name}.jsonl`),
      name,
      life: `c${number}`,
      seed: this.#numbers.below(2 ** 31),
      lanes: 1 + this.#numbers.below(6),
      maxFiller,
    });
    const writers = Array.from({ length: 2 + this.#numbers.below(2) }, (_, index) => task("writer", `w${index}`));
    const readers = Array.from({ length: READERS }, (_, index) => task("reader", `r${index}`));
    return [
      ...writers.map((each) => new WorkerProcess(each, sabotage?.writersUnder ?? slow)),
      ...readers.map((each) => new WorkerProcess(each, sabotage?.readersUnder ?? [])),
    ];
  }
}

async function reached(moment: Moment, workers: readonly WorkerProcess[], delayMs: number): Promise<void> {
  const first = FIRSTS[moment];
  if (first !== undefined) {
    const some = workers.filter(({ task }) => first.roles.includes(task.role));
    await Promise.race(some.map((worker) => worker.hears(first.event)));
    return;
  }
  await Promise.all(workers.map((worker) => worker.hears("done")));
  // Any moment will do: it is the random one that the test is about.
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** The moments that the first of some processes brings about. */
const FIRSTS: Partial<Record<Moment, { readonly roles: readonly Task["role"][]; readonly event: Event }>> = {
  opened: { roles: ["writer", "reader"], event: "opened" },
  committed: { roles: ["writer"], event: "done" },
  given: { roles: ["reader"], event: "done" },
};

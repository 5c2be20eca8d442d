import type { Capabilities, DataStore } from "../contract/data-store.ts";
import type { OpenOptions } from "../contract/options.ts";
import type { Faults } from "./harness.ts";
import type { Random } from "./random.ts";

/** What a check asks of a backend; what is absent is not asked. */
export type Needs = Partial<Pick<Capabilities, "globalOrder" | "transactions" | "durable">>;

/** What a harness may leave out: a fault hook, or the module that child processes import. */
export type Hook = keyof Faults | "module";

/** "public": the public interfaces. "process": a second process or a reopen. "fault": a hook of the harness. */
export type Level = "public" | "process" | "fault";

/** One way to find a clause broken. It throws if the clause does not hold. */
export interface Check {
  /** What is tried, in a few words: shown where a clause has several checks. */
  readonly title: string;
  readonly level: Level;
  readonly needs: Needs;
  /** What the harness must supply, or it can't run. */
  readonly hook?: Hook;
  /** 10,000 unless given. */
  readonly timeoutMs?: number;
  /** It measures time, memory or handles of this process, so nothing else may run beside it. */
  readonly alone?: boolean;
  /** It takes seconds, or tens of megabytes, on any backend. */
  readonly costly?: boolean;
  readonly run: (context: Context) => Promise<void>;
}

/** One sentence of the contract, and how it is checked. `needs` and `level` are those of its least demanding check. */
export interface Clause {
  readonly id: string;
  readonly sentence: string;
  readonly needs: Needs;
  readonly level: Level;
  readonly checks: readonly Check[];
}

/** What a check works with. Stores and places that it took are closed and destroyed when it ends. */
export interface Context {
  readonly capabilities: Capabilities;
  readonly faults: Faults;
  /** Seeded with the run's seed and the clause's id. */
  readonly random: Random;
  /** A store in a fresh empty place. */
  store(options?: OpenOptions): Promise<DataStore>;
  /** A fresh empty place, to be opened more than once. */
  place(): Promise<Place>;
}

/** A fresh place of one backend, for checks that open it more than once, in this process and in others. */
export interface Place {
  readonly name: string;
  /** One more store on this place; closed when the check ends. */
  open(options?: OpenOptions): Promise<DataStore>;
  /** Another process that opens this place and runs the named program of `programs.ts` with `input`. Killed when the check ends. */
  spawn(program: string, input: unknown): Promise<Peer>;
}

/** Another process. What it sends with `report` is received here in order. */
export interface Peer {
  /** The next report; rejects if the process ends without one. */
  report<T>(): Promise<T>;
  /** Wakes the program's `signalled()`. */
  signal(value?: unknown): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when the process has ended by itself; rejects if it failed. */
  ended(): Promise<void>;
}

import type { Peer, Place } from "../clause.ts";
import type { Harness } from "../harness.ts";
import { spawnPeer } from "../process/spawn.ts";
import { checkHistory } from "./check.ts";
import { countRace, type RaceCounts } from "./counts.ts";
import { readFinalState } from "./final-state.ts";
import type { CommitOperation, FinalState, Operation, Violation } from "./history.ts";
import type { RaceInput, RaceReport } from "./race-program.ts";

/** How many race, for how long, and over what. */
export interface RaceOptions {
  readonly seed: number;
  /** Processes; 3 unless given. */
  readonly workers?: number;
  /** Clients of each worker, who call at once; 2 unless given. */
  readonly clients?: number;
  /** How many operations each client makes; 100 unless given. With `during` the race may end before. */
  readonly operations?: number;
  /** 2 unless given. */
  readonly streams?: number;
  /** 2 unless given. */
  readonly states?: number;
  /** Runs beside the workers, to make faults; when it is done the race ends. It is always waited for, and heals what it broke. */
  readonly during?: (race: RunningRace) => Promise<void>;
}

/** A race under way. */
export interface RunningRace {
  /** How many operations have ended so far. */
  readonly made: number;
  /** Resolves when that many operations have ended, or the race has. */
  until(operations: number): Promise<void>;
  /** Kills a worker (SIGKILL): what it had under way is of unknown outcome. */
  kill(worker: number): Promise<void>;
}

/** What came of a race. */
export interface RaceResult {
  readonly history: readonly Operation[];
  readonly final: FinalState;
  /** Empty where the store kept the contract. */
  readonly violations: readonly Violation[];
  readonly counts: RaceCounts;
}

/** Where a race takes place: a `Place` of the suite is one. */
export type RacePlace = Pick<Place, "open" | "spawn">;

/**
 * Several processes race on a few streams and states of one place with appends, states, transactions, repeats and reads;
 * then the place is read by a store of this process, and the history judged. Rejects if a worker failed with an error that
 * the contract has no outcome for.
 */
export async function raceOn(place: RacePlace, options: RaceOptions): Promise<RaceResult> {
  const { seed, workers = 3, clients = 2, operations = 100, streams = 2, states = 2, during } = options;
  const inputs = Array.from({ length: workers }, (_, index): RaceInput => {
    return { worker: `w${index}c`, seed: seed * 1_000 + index, clients, operations, streams, states };
  });
  const peers = await Promise.all(inputs.map((input) => place.spawn("race", input)));
  const race = new Race(peers);
  for (const peer of peers) peer.signal();
  const gathered = race.gather();
  if (during !== undefined) {
    // A worker that fails meanwhile is told of below, once the faults are healed.
    gathered.catch(() => {});
    await during(race);
    for (const peer of peers) peer.signal();
  }
  await gathered;
  const history = race.history();
  const store = await place.open();
  const final = await readFinalState(store, history);
  return { history, final, violations: checkHistory(history, final), counts: countRace(history, race.unavailable) };
}

/** As {@link raceOn}, on a fresh place of a harness, which must have a `module`; the place is destroyed at the end. */
export async function raceWorkers(harness: Harness, options: RaceOptions): Promise<RaceResult> {
  const name = await harness.create();
  const peers: Peer[] = [];
  const closings: (() => Promise<void>)[] = [];
  try {
    return await raceOn(
      {
        open: async (openOptions) => {
          const store = await harness.open(name, openOptions);
          closings.push(() => store.close());
          return store;
        },
        spawn: async (program, input) => {
          const peer = await spawnPeer(harness.module, name, program, input);
          peers.push(peer);
          return peer;
        },
      },
      options,
    );
  } finally {
    await Promise.all(peers.map((peer) => peer.kill()));
    for (const close of closings) await close();
    await harness.destroy(name);
  }
}

/** Gathers what the workers report. */
class Race implements RunningRace {
  made = 0;
  unavailable = 0;
  readonly #peers: readonly Peer[];
  readonly #killed = new Set<number>();
  readonly #done: Operation[] = [];
  /** Of each client the write that is under way. */
  readonly #sent = new Map<string, CommitOperation>();
  #isOver = false;
  #waiting: { readonly count: number; readonly wake: () => void }[] = [];

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  until(operations: number): Promise<void> {
    return new Promise((wake) => {
      this.#waiting.push({ count: operations, wake });
      this.#wake();
    });
  }

  async kill(worker: number): Promise<void> {
    this.#killed.add(worker);
    await this.#peers[worker]?.kill();
  }

  async gather(): Promise<void> {
    try {
      await Promise.all(this.#peers.map((peer, worker) => this.#follow(peer, worker)));
    } finally {
      this.#isOver = true;
      this.#wake();
    }
  }

  history(): Operation[] {
    return [...this.#done, ...this.#sent.values()];
  }

  async #follow(peer: Peer, worker: number): Promise<void> {
    for (;;) {
      let report: RaceReport;
      try {
        report = await peer.report<RaceReport>();
      } catch (error) {
        if (this.#killed.has(worker)) return;
        throw error;
      }
      if (report.kind === "ended") return;
      if (report.kind === "unavailable") this.unavailable += 1;
      else this.#add(report.kind, report.operation);
    }
  }

  #add(kind: "sending" | "done", operation: Operation): void {
    if (kind === "sending") {
      if (operation.kind === "commit") this.#sent.set(operation.client, operation);
      return;
    }
    if (operation.kind === "commit") this.#sent.delete(operation.client);
    this.#done.push(operation);
    this.made += 1;
    this.#wake();
  }

  #wake(): void {
    const made = this.#isOver ? Number.POSITIVE_INFINITY : this.made;
    for (const { count, wake } of this.#waiting) if (count <= made) wake();
    this.#waiting = this.#waiting.filter(({ count }) => count > made);
  }
}

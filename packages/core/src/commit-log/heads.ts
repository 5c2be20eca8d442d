import type { Position, Witness } from "./commit-log.ts";

/** Messages of one append, where they lie in the log. */
export interface Run {
  readonly stream: string;
  readonly offset: number;
  readonly count: number;
  readonly global: number;
  readonly position: Position;
  /** From the beginning of the block. */
  readonly at: number;
  readonly bytes: number;
}

/** One revision of a state, where its record and receipt lie in the log. */
export interface StateRun {
  readonly persistenceId: string;
  readonly revision: number;
  readonly live: boolean;
  readonly position: Position;
  readonly at: number;
  readonly bytes: number;
}

export interface StreamHead {
  readonly stream: string;
  nextOffset: number;
  /** What is not merged yet, in order. */
  runs: readonly Run[];
}

export interface StateHead {
  readonly persistenceId: string;
  revision: number;
  live: boolean;
  runs: readonly StateRun[];
}

/** A block that was applied and is not merged yet: where things stood behind it. */
export interface AppliedBlock extends Witness {
  readonly nextGlobal: number;
  readonly size: number;
}

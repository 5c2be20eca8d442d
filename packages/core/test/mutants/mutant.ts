import type { Kind } from "../simulation/run.ts";

/** One edit of core's sources, and what it breaks: the simulation must find it out. */
export interface Mutant {
  /** With the number of the research's list, where it stands in one. */
  readonly name: string;
  /** The clause, or the promise of the engine, that is expected to be found broken. */
  readonly breaks: string;
  /** Which simulation finds it. */
  readonly found: Kind | "both";
  /** Below packages/core/src. */
  readonly file: string;
  /** Is there exactly once. */
  readonly find: string;
  readonly replace: string;
}

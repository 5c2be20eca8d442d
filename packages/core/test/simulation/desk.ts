import type { HistoryWrite } from "../../src/conformance/history/history.ts";
import type { Random } from "../../src/conformance/random.ts";
import type { Network } from "./network.ts";
import type { Recorder } from "./recorder.ts";

/** Few, so that writers meet. */
export const STREAMS: readonly string[] = ["hot", "warm", "W\u00e4rm", "cold"];
export const IDS: readonly string[] = ["p", "q", "holdfast:offset:x"];

/** A commit as it was planned: sent again it is the same. */
export interface Plan {
  readonly commitId: string | undefined;
  readonly writes: readonly HistoryWrite[];
}

/** What all processes of a run share outside the store. */
export interface Desk {
  readonly network: Network;
  readonly random: Random;
  readonly recorder: Recorder;
  /** Commits that were sent with an id of the caller's: anyone may send them again. */
  readonly journal: Plan[];
  /** Read operations that were called and have not returned. */
  readers: number;
  tokens: number;
}

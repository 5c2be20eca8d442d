import type { Harness } from "../../src/conformance/harness.ts";
import { inMemory, onFile, type Tricks } from "./places.ts";

/** A store that keeps every promise but one. */
export interface Saboteur {
  readonly name: string;
  /** What it does wrong, in one sentence. */
  readonly lie: string;
  /** The ids of the clauses that find it out: these and no others. */
  readonly caught: readonly string[];
  readonly harness: Harness;
}

/** A saboteur in memory. */
export function lie(name: string, sentence: string, caught: readonly string[], tricks: Tricks): Saboteur {
  return { name, lie: sentence, caught, harness: inMemory(name, tricks) };
}

/**
 * A saboteur on files, for lies that only a reopen, another process or damaged bytes bring to light. No power is cut, so
 * nothing is synced: an honest one that syncs would be told from it by nothing but its time.
 */
export function durableLie(name: string, sentence: string, caught: readonly string[], tricks: Tricks): Saboteur {
  return { name, lie: sentence, caught, harness: onFile(name, { ...tricks, file: { sync: false, ...tricks.file } }) };
}

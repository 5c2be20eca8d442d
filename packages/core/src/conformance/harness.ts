import type { Capabilities, DataStore } from "../contract/data-store.ts";
import type { OpenOptions } from "../contract/options.ts";

/** The test runner's functions: vitest, node:test, jest and bun all have them. */
export interface Runner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>, timeoutMs?: number): void;
}

/** Ways to provoke what the public API can't. A hook left out is printed with the clauses that stay unproved. */
export interface Faults {
  /** The next `count` writes take effect and their replies are lost; a write sent again counts again, 0 ends it. */
  loseReplies?(store: DataStore, count: number): Promise<void>;
  /** The next sync to disk fails. */
  failSync?(store: DataStore): Promise<void>;
  /** Damages the stored bytes of a closed place, where and how the seed says. */
  damage?(place: string, seed: number): Promise<void>;
  /** Marks a closed place as one of a newer format. */
  markNewer?(place: string): Promise<void>;
  /** Opens a store on a backend that can't keep the promises; the clause expects it to reject. */
  openIncapable?(): Promise<DataStore>;
}

/** What a backend supplies to be judged by the suite. */
export interface Harness {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** import.meta.url of a module whose default export is this harness; child processes import it. */
  readonly module?: string;
  /** A fresh empty place. */
  create(): Promise<string>;
  open(place: string, options?: OpenOptions): Promise<DataStore>;
  destroy(place: string): Promise<void>;
  readonly faults?: Faults;
}

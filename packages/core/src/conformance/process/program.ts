import type { DataStore } from "../../contract/data-store.ts";

/** What a program in a child process works with. */
export interface World {
  readonly store: DataStore;
  readonly input: unknown;
  /** Resolves when the parent's end of the channel has it. */
  report(value: unknown): Promise<void>;
  /** The parent's next `signal`, in order. */
  signalled(): Promise<unknown>;
}

export type Program = (world: World) => Promise<void>;
export type Programs = Readonly<Record<string, Program>>;

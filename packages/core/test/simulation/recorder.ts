import type { CommitOperation, Operation, Outcome, ReadOperation } from "../../src/conformance/history/history.ts";

/** A commit that was called and has not returned. */
export type OpenCommit = Pick<CommitOperation, "client" | "called" | "commitId" | "writes">;

type Seen = ReadOperation extends infer Read
  ? Read extends ReadOperation
    ? Omit<Read, "client" | "called" | "returned">
    : never
  : never;

/** Writes the history of a run down. Its clock counts: no two moments are the same. */
export class Recorder {
  readonly operations: Operation[] = [];
  #clock = 0;

  tick(): number {
    this.#clock += 1;
    return this.#clock;
  }

  commit(open: OpenCommit, outcome: Outcome): void {
    this.operations.push({ kind: "commit", ...open, outcome, returned: this.tick() });
  }

  read(client: string, called: number, seen: Seen, returned = this.tick()): void {
    this.operations.push({ client, called, returned, ...seen } as ReadOperation);
  }
}

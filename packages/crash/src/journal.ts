import { closeSync, existsSync, openSync, readFileSync, writevSync } from "node:fs";
import type { CommitOperation, History, HistoryWrite, Outcome, ReadOperation } from "@holdfast/core/conformance";

/** What a process was given, without who and when. */
export type Given = ReadOperation extends infer Each
  ? Each extends unknown
    ? Omit<Each, "client" | "called" | "returned">
    : never
  : never;

/** How a call ended: its outcome, and the error where it was neither written nor a conflict. */
export interface Ending {
  readonly outcome: Outcome;
  readonly error?: string;
}

type Line =
  | { readonly kind: "called"; readonly call: number; readonly atNs: number; readonly writes: readonly HistoryWrite[] }
  | ({ readonly kind: "returned"; readonly call: number; readonly atNs: number } & Ending)
  | { readonly kind: "given"; readonly calledNs: number; readonly atNs: number; readonly given: Given };

/** The moment, by the clock that all processes of this machine share. */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}

/**
 * What one process called and was told, a JSON line each, in a file that outlives its kill and lies on another disk
 * than the store. Written by `writev`, so that the store's own writes can be counted.
 */
export class Journal {
  readonly #file: number;
  #calls = 0;

  constructor(path: string) {
    this.#file = openSync(path, "a", 0o600);
  }

  /** Before a commit is sent. */
  called(writes: readonly HistoryWrite[]): number {
    const call = this.#calls++;
    this.#write({ kind: "called", call, atNs: nowNs(), writes });
    return call;
  }

  returned(call: number, ending: Ending): void {
    this.#write({ kind: "returned", call, atNs: nowNs(), ...ending });
  }

  given(calledNs: number, given: Given): void {
    this.#write({ kind: "given", calledNs, atNs: nowNs(), given });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line): void {
    writevSync(this.#file, [Buffer.from(JSON.stringify(line)), Buffer.from("\n")]);
  }
}

/** What a journal tells of the time before a cut or a kill. */
export interface Told {
  readonly history: History;
  /** Errors that no crash explains. */
  readonly failures: readonly string[];
}

/**
 * Only what returned before `untilNs` counts: afterwards a sync may have "succeeded" while the power went. A commit that
 * had not returned may be there or not; what was read later is forgotten.
 */
export function readJournal(path: string, client: string, untilNs: number): Told {
  const commits = new Map<number, CommitOperation>();
  const reads: ReadOperation[] = [];
  const failures: string[] = [];
  for (const line of linesOf(path)) {
    if (line.kind === "called") {
      const { call, atNs: called, writes } = line;
      commits.set(call, { kind: "commit", client, called, returned: untilNs, writes, outcome: { kind: "unknown" } });
    } else if (line.atNs < untilNs) {
      const returned = line.atNs;
      if (line.kind === "given") {
        reads.push({ ...line.given, client, called: line.calledNs, returned });
        continue;
      }
      const commit = commits.get(line.call);
      if (commit === undefined) throw new Error(`${path} tells of a return without a call`);
      commits.set(line.call, { ...commit, returned, outcome: line.outcome });
      if (line.error !== undefined) failures.push(`${client}: ${line.error}`);
    }
  }
  return { history: [...commits.values(), ...reads], failures };
}

/** A process that was killed early has none; its last line may be half written. */
function linesOf(path: string): readonly Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

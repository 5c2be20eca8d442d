import { checkHistory, type History, type Operation } from "@holdfast/core/conformance";
import type { Backend } from "./backends.ts";
import { type Reopened, reopen } from "./final-state.ts";
import { nowNs, readJournal } from "./journal.ts";

/** What was counted, so that a run that proved nothing is seen. */
export interface Tally {
  /** Commits acknowledged before the crash of their time. */
  readonly acknowledged: number;
  /** Commits under way when it came. */
  readonly underWay: number;
  readonly conflicts: number;
  /** Messages that readers were given before it. */
  readonly messagesRead: number;
}

export const noTally: Tally = { acknowledged: 0, underWay: 0, conflicts: 0, messagesRead: 0 };

export function sumOf(one: Tally, other: Tally): Tally {
  return {
    acknowledged: one.acknowledged + other.acknowledged,
    underWay: one.underWay + other.underWay,
    conflicts: one.conflicts + other.conflicts,
    messagesRead: one.messagesRead + other.messagesRead,
  };
}

/** All that was asked of one store and told by it, through any number of crashes. */
export class Chronicle {
  readonly #history: Operation[] = [];
  readonly #storeIds = new Set<string>();
  readonly #failures: string[] = [];

  /** What a process wrote down before the crash. */
  add(journal: string, client: string, untilNs: number): void {
    const told = readJournal(journal, client, untilNs);
    this.#history.push(...told.history);
    this.#failures.push(...told.failures);
  }

  /** A process was told before the crash that the store has these ids. */
  opened(storeIds: Iterable<string>): void {
    for (const id of storeIds) this.#storeIds.add(id);
  }

  /** Reads the store as the crash left it, and gives each promise that was broken, as a sentence. */
  async judge(backend: Backend, folder: string): Promise<readonly string[]> {
    const called = nowNs();
    let reopened: Reopened;
    try {
      reopened = await reopen(backend, folder, this.#history);
    } catch (error) {
      return [`the store can't be read: ${(error as Error).stack}`];
    }
    this.opened([reopened.storeId]);
    const broken = violationsOf(this.#history, reopened);
    if (this.#storeIds.size > 1) broken.push("W-10: the store's id is another one: what was opened is gone");
    broken.push(...this.#failures.splice(0).map((failure) => `an error that no crash explains: ${failure}`));
    this.#history.push(...readingsOf(reopened, called, nowNs()));
    return broken;
  }

  tally(): Tally {
    const sum = { ...noTally };
    for (const operation of this.#history) {
      if (operation.kind === "commit") {
        if (operation.outcome.kind === "ok") sum.acknowledged += 1;
        if (operation.outcome.kind === "unknown") sum.underWay += 1;
        if (operation.outcome.kind === "conflict") sum.conflicts += 1;
      } else if (operation.client !== INSPECTOR) {
        if (operation.kind === "readGlobal") sum.messagesRead += operation.messages.length;
        if (operation.kind === "readStream") sum.messagesRead += operation.tokens.length;
      }
    }
    return sum;
  }
}

const INSPECTOR = "inspector";

/** Acknowledged writes lost, batches torn, duplicates, gaps, half transactions, reads that changed: as the suite's checker finds them. */
export function violationsOf(history: History, { state }: Reopened): string[] {
  return checkHistory(history, state).map(({ clauses, what }) => `${clauses.join(", ")}: ${what}`);
}

/** What the inspection itself saw must be there after the next crash. */
function readingsOf({ state }: Reopened, called: number, returned: number): History {
  const span = { client: INSPECTOR, called, returned };
  return [
    { kind: "readGlobal", ...span, from: 0, messages: state.global ?? [], end: true },
    ...state.states.map(({ persistenceId, revision, token }) => ({
      kind: "load" as const,
      ...span,
      persistenceId,
      revision,
      token,
    })),
  ];
}

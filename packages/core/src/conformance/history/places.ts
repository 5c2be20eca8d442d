import type { Findings } from "./findings.ts";
import type { FinalRecord, FinalState, GlobalMessage, History, Operation } from "./history.ts";

/** No commit is known to have made it. */
export const nobody = -1;

/** A stream in the end, and for each offset the moment (of `Order`) of the commit that wrote it. */
export interface StreamPlace {
  readonly tokens: readonly string[];
  readonly makers: number[];
}

/** A state in the end. Index r is about the step from revision r to r + 1. */
export interface StatePlace {
  readonly revision: number;
  /** The token that the revision held, null for a deletion, undefined where nobody saw it. */
  readonly held: (string | null | undefined)[];
  readonly makers: number[];
}

/** The final state by name, with what is known of how it came about. */
export class Places {
  readonly streams = new Map<string, StreamPlace>();
  readonly states = new Map<string, StatePlace>();
  readonly global: readonly GlobalMessage[] | undefined;
  /** The makers of the global order, by global offset. */
  readonly globalMakers: number[] = [];

  constructor(history: History, final: FinalState, findings: Findings) {
    this.global = final.global;
    for (const { stream, tokens } of final.streams) this.streams.set(stream, { tokens, makers: unmade(tokens.length) });
    const written = writtenRevisions(history);
    for (const record of final.states) {
      const { persistenceId, revision, token } = record;
      const count = written.get(persistenceId) ?? 0;
      if (revision > count) {
        findings.add(["S-2", "S-5"], `${persistenceId} is at revision ${revision} after ${count} writes`);
      }
      const held = heldIn(record, Math.min(revision, count));
      this.states.set(persistenceId, { revision, held, makers: unmade(held.length) });
      if (revision === 0 && token !== null) findings.add(["S-1"], `${persistenceId} has a state at revision 0`);
    }
    for (const operation of history) if (operation.kind === "load") this.#hold(operation, findings);
  }

  stream(name: string): StreamPlace {
    return this.streams.get(name) ?? noStream;
  }

  state(persistenceId: string): StatePlace {
    return this.states.get(persistenceId) ?? noState;
  }

  /** What a load says of a revision: all who saw it must have seen the same. */
  #hold(load: Operation & { readonly kind: "load" }, findings: Findings): void {
    const { persistenceId, revision, token } = load;
    const state = this.state(persistenceId);
    if (revision > state.revision) {
      const what = `a load gave revision ${revision}, and in the end ${persistenceId} is at ${state.revision}`;
      findings.add(["S-5", "R-10", "W-10"], what, [load]);
      return;
    }
    if (revision === 0) {
      if (token !== null) findings.add(["S-1"], "a load gave a state at revision 0", [load]);
      return;
    }
    const held = state.held[revision - 1];
    if (held === undefined && revision <= state.held.length) state.held[revision - 1] = token;
    else if (held !== token) {
      const what = `revision ${revision} of ${persistenceId} held ${token ?? "no state"} for one reader and ${held ?? "no state"} for another`;
      findings.add(["S-5", "S-2"], what, [load]);
    }
  }
}

const noStream: StreamPlace = { tokens: [], makers: [] };
const noState: StatePlace = { revision: 0, held: [], makers: [] };

function unmade(length: number): number[] {
  return new Array<number>(length).fill(nobody);
}

function heldIn({ revision, token, revisions = [] }: FinalRecord, length: number): (string | null | undefined)[] {
  const held = Array.from({ length }, (_, index) => revisions[index]);
  if (revision > 0 && revision <= length) held[revision - 1] = token;
  return held;
}

/** How many writes to each state were tried: it can have no more revisions. */
function writtenRevisions(history: History): Map<string, number> {
  const counts = new Map<string, number>();
  for (const operation of history) {
    if (operation.kind !== "commit") continue;
    for (const write of operation.writes) {
      if (write.kind !== "append") counts.set(write.persistenceId, (counts.get(write.persistenceId) ?? 0) + 1);
    }
  }
  return counts;
}

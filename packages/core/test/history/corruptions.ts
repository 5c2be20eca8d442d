import type {
  CommitOperation,
  FinalState,
  GlobalMessage,
  HistoryWrite,
  Operation,
} from "../../src/conformance/history/history.ts";
import type { Recorded } from "./edits.ts";

type AppendWrite = HistoryWrite & { readonly kind: "append" };

/** One way to break a valid history, and the clause that it breaks. */
export interface Corruption {
  readonly name: string;
  readonly clause: string;
  readonly corrupt: (recorded: Recorded) => Recorded;
}

/** The last operation for which `change` gives another takes its place. */
function changed(
  recorded: Recorded,
  change: (operation: Operation, recorded: Recorded) => Operation | undefined,
): Recorded {
  for (let index = recorded.history.length - 1; index >= 0; index--) {
    const operation = recorded.history[index];
    const other = operation && change(operation, recorded);
    if (other !== undefined) return { ...recorded, history: recorded.history.with(index, other) };
  }
  throw new Error("the history has no operation to corrupt");
}

/** The last acknowledged commit of which `holds`. */
function acknowledged({ history }: Recorded, holds: (commit: CommitOperation) => boolean): CommitOperation {
  const found = history.findLast((one) => one.kind === "commit" && one.outcome.kind === "ok" && holds(one));
  if (found?.kind !== "commit") throw new Error("the history has no such commit");
  return found;
}

const tokensOf = (final: FinalState, stream: string) =>
  final.streams.find((one) => one.stream === stream)?.tokens ?? [];
const isAppend = (write: HistoryWrite | undefined): write is AppendWrite => write?.kind === "append";

/** Appends alone, of `count` messages or more. */
const appends =
  (count: number) =>
  ({ writes }: CommitOperation) =>
    writes.length === 1 && isAppend(writes[0]) && writes[0].tokens.length >= count;

/** It ends its stream. */
function isLast(write: HistoryWrite | undefined, final: FinalState): boolean {
  return isAppend(write) && tokensOf(final, write.stream).length === write.offset + write.tokens.length;
}

function firstAppend({ writes }: CommitOperation): AppendWrite {
  const write = writes.find(isAppend);
  if (write === undefined) throw new Error("the commit has no append");
  return write;
}

/** The messages of the global order anew, with streams and offsets to match. */
function ordered(
  final: FinalState,
  messages: readonly { readonly stream: string; readonly token: string }[],
): FinalState {
  const streams = new Map<string, string[]>();
  const global: GlobalMessage[] = messages.map(({ stream, token }, globalOffset) => {
    const tokens = streams.get(stream) ?? [];
    streams.set(stream, tokens);
    return { globalOffset, stream, offset: tokens.push(token) - 1, token };
  });
  return { ...final, global, streams: [...streams].map(([stream, tokens]) => ({ stream, tokens })) };
}

function globalOf({ final }: Recorded): readonly GlobalMessage[] {
  return final.global ?? [];
}

function without(recorded: Recorded, tokens: readonly string[]): Recorded {
  const left = globalOf(recorded).filter(({ token }) => !tokens.includes(token));
  return { ...recorded, final: ordered(recorded.final, left) };
}

/** The message of `token` is moved to where `to` gives, in the list without it. */
function moved(recorded: Recorded, token: string, to: (rest: readonly GlobalMessage[]) => number): Recorded {
  const rest = globalOf(recorded).filter((one) => one.token !== token);
  const message = globalOf(recorded).filter((one) => one.token === token);
  return { ...recorded, final: ordered(recorded.final, rest.toSpliced(to(rest), 0, ...message)) };
}

function changedState(
  recorded: Recorded,
  change: (state: FinalState["states"][number]) => FinalState["states"][number],
): Recorded {
  const index = recorded.final.states.findIndex(({ revision }) => revision > 5);
  const states = recorded.final.states.map(({ revisions: _, ...state }, at) => (at === index ? change(state) : state));
  return { ...recorded, final: { ...recorded.final, states } };
}

/** Long before anything, or after all. */
function shifted<One extends Operation>(operation: One, to: number): One {
  return { ...operation, called: to, returned: to };
}

const late = Number.MAX_SAFE_INTEGER;

const written: readonly Corruption[] = [
  {
    name: "an acknowledged append is lost",
    clause: "W-10",
    corrupt: (recorded) => {
      const commit = acknowledged(recorded, (one) => appends(1)(one) && isLast(one.writes[0], recorded.final));
      return without(recorded, firstAppend(commit).tokens);
    },
  },
  {
    name: "an acknowledged revision is lost",
    clause: "W-10",
    corrupt: (recorded) => changedState(recorded, (state) => ({ ...state, revision: state.revision - 2 })),
  },
  {
    name: "a part of a batch",
    clause: "A-3",
    corrupt: (recorded) => {
      const commit = acknowledged(recorded, (one) => appends(2)(one) && isLast(one.writes[0], recorded.final));
      return without(recorded, firstAppend(commit).tokens.slice(-1));
    },
  },
  {
    name: "a part of a transaction",
    clause: "W-1",
    corrupt: (recorded) => {
      const commit = acknowledged(
        recorded,
        ({ writes }) => writes.length > 1 && isLast(writes.find(isAppend), recorded.final),
      );
      return without(recorded, firstAppend(commit).tokens);
    },
  },
  {
    name: "a message twice",
    clause: "W-3",
    corrupt: (recorded) => {
      const { stream, tokens } = firstAppend(acknowledged(recorded, appends(1)));
      const again = tokens.map((token) => ({ stream, token }));
      return { ...recorded, final: ordered(recorded.final, [...globalOf(recorded), ...again]) };
    },
  },
  {
    name: "a message that nobody wrote",
    clause: "A-4",
    corrupt: (recorded) => {
      const forged = { stream: "stream 0", token: "forged" };
      return { ...recorded, final: ordered(recorded.final, [...globalOf(recorded), forged]) };
    },
  },
  {
    name: "two messages of a stream swapped",
    clause: "A-1",
    corrupt: (recorded) => {
      const commit = acknowledged(
        recorded,
        (one) => appends(1)(one) && firstAppend(one).tokens.length === 1 && firstAppend(one).offset > 9,
      );
      const { stream, offset, tokens } = firstAppend(commit);
      const before = tokensOf(recorded.final, stream)[offset - 1];
      return moved(recorded, tokens[0] ?? "", (rest) => rest.findIndex(({ token }) => token === before));
    },
  },
  {
    name: "a conflict comes true",
    clause: "W-4",
    corrupt: (recorded) => {
      const { writes } = acknowledged(recorded, (one) => appends(1)(one) && one.commitId === undefined);
      const told = { kind: "conflict", write: 0, actual: 0 } as const;
      return changed(recorded, (one) =>
        one.kind === "commit" && one.writes === writes ? { ...one, outcome: told } : undefined,
      );
    },
  },
  {
    name: "what was not written is there",
    clause: "W-5",
    corrupt: (recorded) => {
      const { writes } = acknowledged(recorded, (one) => one.commitId === undefined && isAppend(one.writes[0]));
      const told = { kind: "notWritten" } as const;
      return changed(recorded, (one) =>
        one.kind === "commit" && one.writes === writes ? { ...one, outcome: told } : undefined,
      );
    },
  },
  {
    name: "two winners of an offset",
    clause: "A-7",
    corrupt: (recorded) =>
      changed(recorded, (one) => {
        if (one.kind !== "commit" || one.outcome.kind !== "conflict" || !appends(1)(one)) return undefined;
        return firstAppend(one).offset < one.outcome.actual ? { ...one, outcome: { kind: "ok" } } : undefined;
      }),
  },
  {
    name: "two winners of a revision",
    clause: "S-6",
    corrupt: (recorded) =>
      changed(recorded, (one) => {
        if (one.kind !== "commit" || one.outcome.kind !== "conflict" || one.writes[0]?.kind !== "upsert")
          return undefined;
        const { actual, write } = one.outcome;
        return write === 0 && one.writes[0].revision < actual ? { ...one, outcome: { kind: "ok" } } : undefined;
      }),
  },
  {
    name: "a revision that nobody wrote",
    clause: "S-2",
    corrupt: (recorded) =>
      changedState(recorded, (state) => ({ ...state, revision: state.revision + 1, token: "forged" })),
  },
  {
    name: "a repeat is told of a conflict",
    clause: "W-3",
    corrupt: (recorded) => {
      const commit = acknowledged(recorded, (one) => appends(1)(one) && one.commitId !== undefined);
      const { offset } = firstAppend(commit);
      const repeat = { ...commit, outcome: { kind: "conflict", write: 0, actual: offset + 5 } } as const;
      return { ...recorded, history: [...recorded.history, shifted(repeat, commit.returned)] };
    },
  },
  {
    name: "an append acknowledged before an earlier one was called",
    clause: "A-1",
    corrupt: (recorded) => {
      const streams = recorded.final.streams;
      return changed({ ...recorded, final: { ...recorded.final, streams } }, (one) => {
        if (
          one.kind !== "commit" ||
          one.outcome.kind !== "ok" ||
          !appends(1)(one) ||
          isLast(one.writes[0], recorded.final)
        )
          return undefined;
        return shifted(one, late);
      });
    },
  },
];

const read: readonly Corruption[] = [
  {
    name: "a reader goes backwards",
    clause: "R-10",
    corrupt: (recorded) =>
      changed(recorded, (one) =>
        one.kind === "nextOffset" && one.nextOffset > 9 ? { ...one, nextOffset: 0 } : undefined,
      ),
  },
  {
    name: "a load goes backwards",
    clause: "R-10",
    corrupt: (recorded) =>
      changed(recorded, (one) =>
        one.kind === "load" && one.revision > 9 ? { ...one, revision: 0, token: null } : undefined,
      ),
  },
  {
    name: "a reader sees the end where there was more",
    clause: "R-10",
    corrupt: (recorded) =>
      changed(recorded, (one) =>
        one.kind === "readGlobal" && one.messages.length > 0 ? { ...one, from: 9, messages: [], end: true } : undefined,
      ),
  },
  {
    name: "a reader sees a part of a batch",
    clause: "A-3",
    corrupt: (recorded) => {
      const { stream, offset } = firstAppend(acknowledged(recorded, appends(2)));
      return changed(recorded, (one) =>
        one.kind === "nextOffset" ? { ...one, stream, nextOffset: offset + 1 } : undefined,
      );
    },
  },
  {
    name: "a reader is given what is not there",
    clause: "A-4",
    corrupt: (recorded) =>
      changed(recorded, (one) =>
        one.kind === "readStream" && one.tokens.length > 0
          ? { ...one, tokens: one.tokens.with(0, "forged") }
          : undefined,
      ),
  },
  {
    name: "two readers see one revision differently",
    clause: "S-5",
    corrupt: (recorded) =>
      changed(recorded, (one) => (one.kind === "load" && one.token !== null ? { ...one, token: "forged" } : undefined)),
  },
  {
    name: "a state that was never written",
    clause: "S-1",
    corrupt: (recorded) =>
      changed(recorded, (one) => (one.kind === "load" ? { ...one, revision: 0, token: "forged" } : undefined)),
  },
  {
    name: "a conflict at the right offset",
    clause: "A-2",
    corrupt: (recorded) =>
      changed(recorded, (one) => {
        if (one.kind !== "commit" || one.outcome.kind !== "conflict" || !isAppend(one.writes[one.outcome.write]))
          return undefined;
        return { ...one, outcome: { ...one.outcome, actual: (one.writes[one.outcome.write] as AppendWrite).offset } };
      }),
  },
  {
    name: "a conflict that tells of long ago",
    clause: "S-3",
    corrupt: (recorded) =>
      changed(recorded, (one) => {
        if (one.kind !== "commit" || one.outcome.kind !== "conflict" || one.outcome.actual < 9) return undefined;
        return one.writes[one.outcome.write]?.kind === "upsert"
          ? { ...one, outcome: { ...one.outcome, actual: 0 } }
          : undefined;
      }),
  },
];

const global: readonly Corruption[] = [
  {
    name: "a gap in the global order",
    clause: "G-1",
    corrupt: (recorded) => {
      const gap = globalOf(recorded).map((one, index) => (index < 90 ? one : { ...one, globalOffset: index + 1 }));
      return { ...recorded, final: { ...recorded.final, global: gap } };
    },
  },
  {
    name: "a stream out of order in the global one",
    clause: "G-2",
    corrupt: (recorded) => {
      const list = [...globalOf(recorded)];
      const one = list.findIndex(({ stream }) => stream === "stream 1");
      const other = list.findLastIndex(({ stream }) => stream === "stream 1");
      const swapped = list.with(one, list[other] as GlobalMessage).with(other, list[one] as GlobalMessage);
      return {
        ...recorded,
        final: { ...recorded.final, global: swapped.map((item, globalOffset) => ({ ...item, globalOffset })) },
      };
    },
  },
  {
    name: "the global order against real time",
    clause: "G-3",
    corrupt: (recorded) => {
      // Two lone appends, each alone in its stream, long after one another: nobody read them.
      const far = (client: string, stream: string, at: number): Operation => ({
        client,
        kind: "commit",
        called: late - at,
        returned: late - at,
        writes: [{ kind: "append", stream, offset: 0, tokens: [`token of ${stream}`] }],
        outcome: { kind: "ok" },
      });
      const history = [...recorded.history, far("a", "early", 9), far("b", "late", 5)];
      const list = [
        ...globalOf(recorded),
        ...["late", "early"].map((stream) => ({ stream, token: `token of ${stream}` })),
      ];
      return { history, final: ordered(recorded.final, list) };
    },
  },
  {
    name: "another commit's message within a batch",
    clause: "G-5",
    corrupt: (recorded) => {
      const { stream, tokens } = firstAppend(acknowledged(recorded, appends(2)));
      const other = globalOf(recorded).findLast((one) => one.stream !== stream);
      return moved(recorded, other?.token ?? "", (rest) => rest.findIndex(({ token }) => token === tokens[1]));
    },
  },
  {
    name: "a reader of all was given another message",
    clause: "G-4",
    corrupt: (recorded) =>
      changed(recorded, (one) => {
        if (one.kind !== "readGlobal" || one.messages.length < 2) return undefined;
        const [first, ...rest] = one.messages;
        return { ...one, messages: [{ ...(first as GlobalMessage), token: "forged" }, ...rest] };
      }),
  },
  {
    name: "the message of a reader of all is gone",
    clause: "G-4",
    corrupt: (recorded) => {
      const shorter = globalOf(recorded).slice(0, 9);
      return { ...recorded, final: ordered(recorded.final, shorter) };
    },
  },
];

/** Two transactions over two states: one saw the other's write of the one, and was overwritten by it in the other. */
const crossed: Corruption = {
  name: "two transactions, each before the other",
  clause: "W-1",
  corrupt: ({ final }) => {
    const upsert = (persistenceId: string, revision: number, token: string): HistoryWrite => ({
      kind: "upsert",
      persistenceId,
      revision,
      token,
    });
    const commit = (client: string, writes: readonly HistoryWrite[]): Operation => ({
      client,
      kind: "commit",
      called: 0,
      returned: 9,
      writes,
      outcome: { kind: "ok" },
    });
    const history = [
      commit("a", [upsert("x", 0, "ax"), upsert("y", 1, "ay")]),
      commit("b", [upsert("x", 1, "bx"), upsert("y", 0, "by")]),
    ];
    const states = [
      { persistenceId: "x", revision: 2, token: "bx" },
      { persistenceId: "y", revision: 2, token: "ay" },
    ];
    return { history, final: { ...final, streams: [], global: [], states } };
  },
};

export const corruptions: readonly Corruption[] = [...written, ...read, ...global, crossed];

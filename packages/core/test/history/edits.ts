import type {
  CommitOperation,
  FinalState,
  GlobalMessage,
  Operation,
  Outcome,
} from "../../src/conformance/history/history.ts";
import type { Random } from "../../src/conformance/random.ts";

export interface Recorded {
  readonly history: readonly Operation[];
  readonly final: FinalState;
}

/** Changes something, anything: it may or may not break the history. */
export function edit(recorded: Recorded, random: Random): Recorded {
  return random.next() < 0.75
    ? editHistory(recorded, random)
    : { ...recorded, final: editFinal(recorded.final, random) };
}

function editHistory({ history, final }: Recorded, random: Random): Recorded {
  const index = random.integer(history.length);
  const operation = history[index];
  if (operation === undefined) return { history, final };
  if (random.next() < 0.1) return { history: history.toSpliced(index, 1), final };
  const edited = editOperation(operation, random);
  // A token is in one commit only: the repeats of a commit are edited alike, or not at all.
  return {
    history: isRepeated(operation, history) && isMoved(operation, edited) ? history : history.with(index, edited),
    final,
  };
}

function isRepeated(operation: Operation, history: readonly Operation[]): boolean {
  if (operation.kind !== "commit" || operation.commitId === undefined) return false;
  return history.some((one) => one !== operation && one.kind === "commit" && one.commitId === operation.commitId);
}

function isMoved(operation: Operation, edited: Operation): boolean {
  return operation.kind === "commit" && edited.kind === "commit" && operation.writes !== edited.writes;
}

function editOperation(operation: Operation, random: Random): Operation {
  const draw = random.next();
  if (draw < 0.3) {
    const shift = random.integer(60) - 30;
    return { ...operation, called: operation.called + shift, returned: operation.returned + shift };
  }
  if (draw < 0.4) return { ...operation, returned: operation.called + random.integer(3) };
  switch (operation.kind) {
    case "commit":
      return editCommit(operation, random);
    case "nextOffset":
      return { ...operation, nextOffset: near(operation.nextOffset, random) };
    case "nextGlobalOffset":
      return { ...operation, nextGlobalOffset: near(operation.nextGlobalOffset, random) };
    case "load":
      return draw < 0.6 ? { ...operation, token: null } : { ...operation, revision: near(operation.revision, random) };
    case "readStream":
      if (draw < 0.6) return { ...operation, end: !operation.end };
      return { ...operation, tokens: operation.tokens.slice(random.integer(2), random.integer(4)) };
    case "readGlobal":
      if (draw < 0.6) return { ...operation, end: !operation.end };
      return { ...operation, messages: operation.messages.slice(random.integer(2), random.integer(4)) };
  }
}

function editCommit(operation: CommitOperation, random: Random): CommitOperation {
  if (random.next() < 0.7) return { ...operation, outcome: anyOutcome(operation, random) };
  const at = random.integer(operation.writes.length);
  const writes = operation.writes.map((write, index) => {
    if (index !== at) return write;
    return write.kind === "append"
      ? { ...write, offset: near(write.offset, random) }
      : { ...write, revision: near(write.revision, random) };
  });
  return { ...operation, writes };
}

function anyOutcome({ writes }: CommitOperation, random: Random): Outcome {
  const write = random.integer(writes.length);
  return random.pick<Outcome>([
    { kind: "ok" },
    { kind: "unknown" },
    { kind: "notWritten" },
    { kind: "conflict", write, actual: random.integer(4) },
  ]);
}

function near(number: number, random: Random): number {
  return Math.max(0, number + random.pick([-1, 1, 2]));
}

function editFinal(final: FinalState, random: Random): FinalState {
  const { streams, states, global = [] } = final;
  const draw = random.next();
  if (draw < 0.3) return { ...final, global: swapped(global, random) };
  if (draw < 0.4)
    return { ...final, global: swapped(global, random).map((one, globalOffset) => ({ ...one, globalOffset })) };
  if (draw < 0.6) {
    const at = random.integer(streams.length);
    return {
      ...final,
      streams: streams.map((one, index) => (index === at ? { ...one, tokens: swapped(one.tokens, random) } : one)),
    };
  }
  if (draw < 0.7) return withoutLast(final, random);
  const at = random.integer(states.length);
  return {
    ...final,
    states: states.map((one, index) => {
      if (index !== at) return one;
      const { revisions: _, ...rest } = one;
      return draw < 0.85 ? { ...rest, revision: near(one.revision, random) } : { ...rest, token: null };
    }),
  };
}

function swapped<T>(list: readonly T[], random: Random): T[] {
  const one = random.integer(list.length);
  const other = random.integer(list.length);
  return list.map((item, index) => (index === one ? list[other] : index === other ? list[one] : item) as T);
}

/** The last message of all is not there. */
function withoutLast(final: FinalState, random: Random): FinalState {
  const last: GlobalMessage | undefined = final.global?.at(-1);
  const shorter = final.streams.map((one) =>
    one.stream === last?.stream ? { ...one, tokens: one.tokens.slice(0, -1) } : one,
  );
  return { ...final, streams: shorter, global: final.global?.slice(0, random.next() < 0.9 ? -1 : undefined) ?? [] };
}

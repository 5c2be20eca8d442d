import type {
  CommitOperation,
  FinalState,
  GlobalMessage,
  History,
  HistoryWrite,
  Operation,
} from "../../src/conformance/history/history.ts";

/**
 * Whether a history and its final state fit the contract, by the definition: it tries every order of the operations that
 * fits real time, with each write of unknown outcome there or not, on a model of the store. For a few operations.
 */
export function isPossible(history: History, final: FinalState): boolean {
  const operations = history.filter((one) => one.kind !== "commit" || one.outcome.kind !== "notWritten");
  if (operations.some((one) => one.kind === "commit" && clashesWithItself(one))) return false;
  return search(operations, new Store(final), final);
}

function search(left: readonly Operation[], store: Store, final: FinalState): boolean {
  if (left.every(isOptional) && store.isFinal()) return true;
  const latest = Math.min(...left.filter((one) => !isOptional(one)).map(({ returned }) => returned));
  return left.some((operation, index) => {
    if (operation.called > latest) return false;
    const next = store.after(operation);
    return next !== undefined && search(left.toSpliced(index, 1), next, final);
  });
}

/** A write of unknown outcome need not take effect, and may at any time. */
function isOptional(operation: Operation): boolean {
  return operation.kind === "commit" && operation.outcome.kind === "unknown";
}

/** Refused at once, whatever is in the store. */
function clashesWithItself({ writes }: CommitOperation): boolean {
  return writes.some((write, index) =>
    writes.slice(index + 1).some((later) => {
      if (write.kind === "append")
        return (
          later.kind === "append" &&
          later.stream === write.stream &&
          later.offset !== write.offset + write.tokens.length
        );
      return (
        later.kind !== "append" && later.persistenceId === write.persistenceId && later.revision !== write.revision + 1
      );
    }),
  );
}

class Store {
  readonly #final: FinalState;
  #streams: ReadonlyMap<string, readonly string[]> = new Map();
  #states: ReadonlyMap<string, readonly (string | null)[]> = new Map();
  #global: readonly GlobalMessage[] = [];
  /** Commits that are there, and those of which a caller was told that they are not and will not be. */
  #made: readonly string[] = [];
  #denied: readonly string[] = [];

  constructor(final: FinalState) {
    this.#final = final;
  }

  isFinal(): boolean {
    const { streams, states, global } = this.#final;
    return (
      streams.reduce((sum, { tokens }) => sum + tokens.length, 0) === this.#global.length &&
      (global ?? this.#global).length === this.#global.length &&
      states.every(({ persistenceId, revision, token }) => {
        const revisions = this.#revisions(persistenceId);
        return revisions.length === revision && (revisions.at(-1) ?? null) === token;
      })
    );
  }

  /** The store after the operation; undefined where it can't be what was told. */
  after(operation: Operation): Store | undefined {
    if (operation.kind === "commit") return this.#afterCommit(operation);
    return this.#fits(operation) ? this : undefined;
  }

  #fits(operation: Exclude<Operation, CommitOperation>): boolean {
    switch (operation.kind) {
      case "nextOffset":
        return this.#tokens(operation.stream).length === operation.nextOffset;
      case "nextGlobalOffset":
        return this.#global.length === operation.nextGlobalOffset;
      case "load": {
        const revisions = this.#revisions(operation.persistenceId);
        return revisions.length === operation.revision && (revisions.at(-1) ?? null) === operation.token;
      }
      case "readStream":
        return isPage(this.#tokens(operation.stream), operation.from, operation.tokens, operation.end);
      case "readGlobal": {
        const texts = (messages: readonly GlobalMessage[]) =>
          messages.map((one) => JSON.stringify(Object.entries(one).sort()));
        return isPage(texts(this.#global), operation.from, texts(operation.messages), operation.end);
      }
    }
  }

  #afterCommit(operation: CommitOperation): Store | undefined {
    const { outcome, writes } = operation;
    const name = operation.commitId === undefined ? undefined : JSON.stringify([operation.commitId, writes]);
    const isMade = name !== undefined && this.#made.includes(name);
    const clash = this.#clash(writes);
    if (outcome.kind === "conflict") {
      if (clash?.write !== outcome.write || clash.actual !== outcome.actual) return undefined;
      const { expected, actual } = clash;
      const isForgotten = actual > expected + 9 && writes.every(({ kind }) => kind !== "append");
      if (expected > actual || isForgotten || name === undefined) return this;
      return isMade ? undefined : this.#with({ denied: [...this.#denied, name] });
    }
    if (isMade) return this;
    if (clash !== undefined || (name !== undefined && this.#denied.includes(name))) return undefined;
    return this.#applied(writes, name);
  }

  #applied(writes: readonly HistoryWrite[], name: string | undefined): Store | undefined {
    let next: Store = this.#with({ made: name === undefined ? this.#made : [...this.#made, name] });
    for (const write of writes) {
      const written = next.#written(write);
      if (written === undefined) return undefined;
      next = written;
    }
    return next;
  }

  /** undefined where the final state is another. */
  #written(write: HistoryWrite): Store | undefined {
    if (write.kind !== "append") {
      const revisions = [...this.#revisions(write.persistenceId), write.kind === "upsert" ? write.token : null];
      const final = this.#final.states.find(({ persistenceId }) => persistenceId === write.persistenceId);
      if (final === undefined || revisions.length > final.revision) return undefined;
      const known = final.revisions?.[revisions.length - 1];
      if (known !== undefined && known !== revisions.at(-1)) return undefined;
      if (revisions.length === final.revision && revisions.at(-1) !== final.token) return undefined;
      return this.#with({ states: new Map(this.#states).set(write.persistenceId, revisions) });
    }
    const { stream, offset, tokens } = write;
    const final = this.#final.streams.find((one) => one.stream === stream)?.tokens ?? [];
    if (tokens.some((token, index) => final[offset + index] !== token)) return undefined;
    const start = this.#global.length;
    const added = tokens.map((token, index) => ({
      globalOffset: start + index,
      stream,
      offset: offset + index,
      token,
    }));
    for (const one of added) {
      const wanted = this.#final.global?.[one.globalOffset];
      if (this.#final.global === undefined) continue;
      if (wanted?.token !== one.token || wanted.stream !== stream || wanted.offset !== one.offset) return undefined;
      if (wanted.globalOffset !== one.globalOffset) return undefined;
    }
    const streams = new Map(this.#streams).set(stream, [...this.#tokens(stream), ...tokens]);
    return this.#with({ streams, global: [...this.#global, ...added] });
  }

  #clash(writes: readonly HistoryWrite[]) {
    const ends = new Map<string, number>();
    for (const [write, one] of writes.entries()) {
      const isAppend = one.kind === "append";
      const place = isAppend ? `stream ${one.stream}` : `state ${one.persistenceId}`;
      const stored = isAppend ? this.#tokens(one.stream).length : this.#revisions(one.persistenceId).length;
      const actual = ends.get(place) ?? stored;
      const expected = isAppend ? one.offset : one.revision;
      if (actual !== expected) return { write, actual, expected };
      ends.set(place, actual + (isAppend ? one.tokens.length : 1));
    }
    return undefined;
  }

  #tokens(stream: string): readonly string[] {
    return this.#streams.get(stream) ?? [];
  }

  #revisions(persistenceId: string): readonly (string | null)[] {
    return this.#states.get(persistenceId) ?? [];
  }

  #with(changes: {
    readonly streams?: ReadonlyMap<string, readonly string[]>;
    readonly states?: ReadonlyMap<string, readonly (string | null)[]>;
    readonly global?: readonly GlobalMessage[];
    readonly made?: readonly string[];
    readonly denied?: readonly string[];
  }): Store {
    const next = new Store(this.#final);
    next.#streams = changes.streams ?? this.#streams;
    next.#states = changes.states ?? this.#states;
    next.#global = changes.global ?? this.#global;
    next.#made = changes.made ?? this.#made;
    next.#denied = changes.denied ?? this.#denied;
    return next;
  }
}

/** Whether a page is what is there; `end` says that nothing follows. */
function isPage(all: readonly string[], from: number, page: readonly string[], end: boolean): boolean {
  if (page.some((one, index) => all[from + index] !== one)) return false;
  if (!end) return true;
  return page.length === 0 ? all.length <= from : all.length === from + page.length;
}

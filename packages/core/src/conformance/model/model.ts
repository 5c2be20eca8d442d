import { isDeepStrictEqual } from "node:util";
import type { Envelope } from "../../contract/envelope.ts";

/** What the contract says of a store, kept in plain Maps and arrays: no code of it is shared with any store. */

export interface ModelAppend {
  readonly kind: "append";
  readonly stream: string;
  readonly offset: number;
  readonly envelopes: readonly Envelope[];
}

export interface ModelUpsert {
  readonly kind: "upsert";
  readonly persistenceId: string;
  readonly expectedRevision: number;
  readonly state: unknown;
}

export interface ModelDelete {
  readonly kind: "delete";
  readonly persistenceId: string;
  readonly expectedRevision: number;
}

export type ModelWrite = ModelAppend | ModelUpsert | ModelDelete;

export interface ModelCommit {
  readonly commitId: string | undefined;
  readonly writes: readonly ModelWrite[];
}

/** How a call must end: undefined where it is acknowledged, otherwise the fields of its error. */
export type Expected = Readonly<Record<string, unknown>> | undefined;

export interface ModelMessage {
  readonly envelope: Envelope;
  readonly stream: string;
  readonly offset: number;
  /** In all the store's messages of this history. */
  readonly position: number;
  /** The commit whose write began at this very offset. */
  readonly commit: ModelCommit | undefined;
}

export interface ModelState {
  readonly revision: number;
  readonly state: unknown;
  /** The commit of each revision, from the first. */
  readonly commits: readonly ModelCommit[];
}

const window = 8;
const neverWritten: ModelState = { revision: 0, state: undefined, commits: [] };

export const invalid: Expected = { name: "InvalidArgumentError", code: "HOLDFAST_INVALID_ARGUMENT" };

/** What JSON makes of a value; bytes stay bytes. */
export function asJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return JSON.parse(JSON.stringify(value)) as unknown;
}

export class Model {
  readonly streams = new Map<string, ModelMessage[]>();
  readonly states = new Map<string, ModelState>();
  /** Every message, in the one order of the store. */
  readonly global: ModelMessage[] = [];

  stream(name: string): readonly ModelMessage[] {
    return this.streams.get(name) ?? [];
  }

  state(persistenceId: string): ModelState {
    return this.states.get(persistenceId) ?? neverWritten;
  }

  /** Applies the commit if the contract says so; gives how the call must end. */
  commit(commit: ModelCommit): Expected {
    const conflict = this.#firstConflict(commit.writes);
    if (conflict !== undefined) return this.#judge(commit, conflict);
    for (const write of commit.writes) this.#apply(commit, write);
    return undefined;
  }

  /** The first write that does not hold on top of the earlier ones. */
  #firstConflict(writes: readonly ModelWrite[]): Expected {
    const ends = new Map<string, number>();
    const revisions = new Map<string, number>();
    for (const write of writes) {
      if (write.kind === "append") {
        const next = ends.get(write.stream) ?? this.stream(write.stream).length;
        if (write.offset !== next) return offsetConflict(write, next);
        ends.set(write.stream, next + write.envelopes.length);
      } else {
        const revision = revisions.get(write.persistenceId) ?? this.state(write.persistenceId).revision;
        if (write.expectedRevision !== revision) return revisionConflict(write, revision);
        revisions.set(write.persistenceId, revision + 1);
      }
    }
    return undefined;
  }

  /** A commit that does not hold may be the repeat of one that did. */
  #judge(commit: ModelCommit, conflict: Expected): Expected {
    if (commit.commitId === undefined) return conflict;
    const holders = commit.writes
      .map((write) => this.#holder(write))
      .filter((holder) => holder?.commitId === commit.commitId);
    if (holders.some((holder) => isDeepStrictEqual(holder?.writes, commit.writes))) return undefined;
    return holders.length > 0 ? invalid : conflict;
  }

  #holder(write: ModelWrite): ModelCommit | undefined {
    if (write.kind === "append") return this.stream(write.stream)[write.offset]?.commit;
    const { revision, commits } = this.state(write.persistenceId);
    return revision - (write.expectedRevision + 1) > window ? undefined : commits[write.expectedRevision];
  }

  #apply(commit: ModelCommit, write: ModelWrite): void {
    if (write.kind === "append") {
      const { stream } = write;
      const messages = this.streams.get(stream) ?? [];
      this.streams.set(stream, messages);
      for (const [index, envelope] of write.envelopes.entries()) {
        const position = this.global.length;
        const message = {
          envelope,
          stream,
          offset: messages.length,
          position,
          commit: index === 0 ? commit : undefined,
        };
        messages.push(message);
        this.global.push(message);
      }
      return;
    }
    const { revision, commits } = this.state(write.persistenceId);
    const state = write.kind === "upsert" ? asJson(write.state) : undefined;
    this.states.set(write.persistenceId, { revision: revision + 1, state, commits: [...commits, commit] });
  }
}

export function offsetConflict({ stream, offset }: ModelAppend, nextOffset: number): Expected {
  return { name: "OffsetConflictError", code: "HOLDFAST_OFFSET_CONFLICT", stream, offset, nextOffset };
}

export function revisionConflict(
  { persistenceId, expectedRevision }: ModelUpsert | ModelDelete,
  actualRevision: number,
): Expected {
  const code = "HOLDFAST_REVISION_CONFLICT";
  return { name: "RevisionConflictError", code, persistenceId, expectedRevision, actualRevision };
}

import type { DataStore, Transaction } from "../contract/data-store.ts";
import type { DurableStateRecord } from "../contract/durable-state-store.ts";
import type { Envelope } from "../contract/envelope.ts";
import { InvalidArgumentError, InvalidStateError, UnsupportedError } from "../contract/errors.ts";
import type { ReadOptions, WriteOptions } from "../contract/options.ts";
import {
  type Draft,
  draftAppend,
  draftDelete,
  draftState,
  MAX_COMMIT_BYTES,
  MAX_COMMIT_WRITES,
  tooLarge,
  tooMany,
} from "./draft.ts";
import { checkName, checkSignal } from "./guard.ts";
import { conflictError } from "./judge.ts";
import { deletedState, type WrittenState, writtenState } from "./states.ts";

/** The reads that a transaction's own writes are laid over. */
type Reads = Pick<DataStore, "messages" | "state">;

/** The writes of one transaction, held back until its `work` has settled. */
export class TransactionScope implements Transaction {
  readonly messages: Transaction["messages"] = {
    appendMessages: (stream, offset, envelopes, options) => handled(this.#append(stream, offset, envelopes, options)),
    nextOffset: (stream, options) => this.#nextOffset(stream, options),
  };
  readonly state: Transaction["state"] = {
    load: <S>(persistenceId: string, options?: ReadOptions) => this.#load<S>(persistenceId, options),
    upsert: <S>(persistenceId: string, expectedRevision: number, state: S, options?: WriteOptions) =>
      handled(this.#upsert(persistenceId, expectedRevision, state, options)),
    delete: (persistenceId, expectedRevision, options) =>
      handled(this.#delete(persistenceId, expectedRevision, options)),
  };

  readonly #reads: Reads;
  readonly #drafts: Draft[] = [];
  /** The next offset and the latest record, where they are this transaction's own. */
  readonly #nextOffsets = new Map<string, number>();
  readonly #records = new Map<string, () => DurableStateRecord<unknown>>();
  #bytes = 0;
  #count = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  /** Ends it; gives the writes to commit. Throws the first error that one of them met. */
  end(): readonly Draft[] {
    this.#ended = true;
    if (this.#failure) throw this.#failure.error;
    return this.#drafts;
  }

  /** Ends it while `work` still runs: whatever its writes met, it is the interruption that counts. */
  abandon(): void {
    this.#ended = true;
    this.#failure = undefined;
  }

  async #append(stream: string, offset: number, envelopes: readonly Envelope[], options?: WriteOptions): Promise<void> {
    this.#write(options, () => {
      const draft = draftAppend(stream, offset, envelopes);
      const next = this.#nextOffsets.get(stream);
      return { draft, clash: next === undefined || next === offset ? undefined : conflictError(draft, next) };
    });
    this.#nextOffsets.set(stream, offset + envelopes.length);
  }

  async #upsert<S>(
    persistenceId: string,
    expectedRevision: number,
    state: S,
    options?: WriteOptions,
  ): Promise<WrittenState<S>> {
    const draft = this.#write(options, () => this.#against(draftState(persistenceId, expectedRevision, state)));
    this.#records.set(persistenceId, () => writtenState(draft));
    return writtenState<S>(draft);
  }

  async #delete(
    persistenceId: string,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<DurableStateRecord<never>> {
    const draft = this.#write(options, () => this.#against(draftDelete(persistenceId, expectedRevision)));
    this.#records.set(persistenceId, () => deletedState(draft));
    return deletedState(draft);
  }

  async #nextOffset(stream: string, options?: ReadOptions): Promise<number> {
    this.#assertOpen();
    checkName(stream, "stream");
    const own = this.#nextOffsets.get(stream);
    if (own === undefined) return this.#reads.messages.nextOffset(stream, options);
    checkSignal(options)?.throwIfAborted();
    return own;
  }

  async #load<S>(persistenceId: string, options?: ReadOptions): Promise<DurableStateRecord<S>> {
    this.#assertOpen();
    checkName(persistenceId, "persistenceId");
    const own = this.#records.get(persistenceId);
    if (own === undefined) return this.#reads.state.load<S>(persistenceId, options);
    checkSignal(options)?.throwIfAborted();
    return own() as DurableStateRecord<S>;
  }

  /** A state write, and how it clashes with this transaction's own earlier ones. */
  #against<D extends Draft & { kind: "state" }>(draft: D): { readonly draft: D; readonly clash: Error | undefined } {
    const own = this.#records.get(draft.persistenceId)?.().revision;
    return {
      draft,
      clash: own === undefined || own === draft.expectedRevision ? undefined : conflictError(draft, own),
    };
  }

  /** Takes one write in, or fails the whole transaction with its first error. */
  #write<D extends Draft>(
    options: WriteOptions | undefined,
    make: () => { readonly draft: D; readonly clash: Error | undefined },
  ): D {
    this.#assertOpen();
    try {
      const { draft, clash } = make();
      const signal = checkSignal(options);
      if (options?.commitId !== undefined) {
        throw new InvalidArgumentError("inside a transaction a write has no commitId: give it to transaction()");
      }
      if (this.#bytes + draft.bytes > MAX_COMMIT_BYTES) throw tooLarge();
      if (this.#count + draft.count > MAX_COMMIT_WRITES) throw tooMany(this.#count + draft.count);
      signal?.throwIfAborted();
      if (clash) throw clash;
      this.#bytes += draft.bytes;
      this.#count += draft.count;
      this.#drafts.push(draft);
      return draft;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#ended) {
      throw new InvalidStateError("the transaction has ended: its writes go through the store, or through a new one", {
        code: "HOLDFAST_TRANSACTION_ENDED",
      });
    }
  }
}

/** Where a commit may write one key only. */
export function assertOneKey(drafts: readonly Draft[]): void {
  const keys = new Set(
    drafts.map((draft) => (draft.kind === "append" ? `m${draft.stream}` : `s${draft.persistenceId}`)),
  );
  if (keys.size > 1) {
    throw new UnsupportedError(
      "this backend commits one stream or one persistence id at a time: split the transaction",
    );
  }
}

/** The transaction rejects with what a write met, so nobody need await the write itself. */
function handled<T>(write: Promise<T>): Promise<T> {
  write.catch(() => undefined);
  return write;
}

import type { ReadOptions, WriteOptions } from "./options.ts";

/** The state of one persistence id, as it was at one revision. */
export interface DurableStateRecord<S> {
  readonly persistenceId: string;
  /** 0: never written. Every upsert and every delete takes the next one; revisions never repeat. */
  readonly revision: number;
  /** undefined: never written, or deleted. null is a state. */
  readonly state: S | undefined;
  /** The last writer's clock, RFC 3339; undefined: never written. */
  readonly updatedAt: string | undefined;
}

/**
 * One JSON value for each persistence id, changed only by whoever knows its revision.
 *
 * A persistence id is any well-formed Unicode string of 1 to 512 bytes in UTF-8; ids beginning `holdfast:` are reserved
 * for {@link DurableStateOffsetStore}. A state is at most 4 MiB of JSON.
 */
export interface DurableStateStore {
  /** The record as it is now: the caller's own copy. An id never written loads as revision 0 with state undefined. */
  load<S>(persistenceId: string, options?: ReadOptions): Promise<DurableStateRecord<S>>;

  /**
   * Stores `state` at `expectedRevision` + 1, if `expectedRevision` is the stored revision; gives the stored record.
   * Once it resolves, it is durable and every later load, by any process, sees it.
   *
   * Rejects with RevisionConflictError otherwise, changing nothing; InvalidArgumentError for a bad id, revision or
   * state, or the `commitId` of other content; UnavailableError when nothing was written; OutcomeUnknownError when the
   * reply was lost and could not be settled in time.
   */
  upsert<S>(
    persistenceId: string,
    expectedRevision: number,
    state: S,
    options?: WriteOptions,
  ): Promise<DurableStateRecord<S> & { readonly state: S; readonly updatedAt: string }>;

  /**
   * Forgets the state, conditionally in the same way, and itself takes a revision: the record then loads as
   * `expectedRevision` + 1 with state undefined, so that a writer of old never wins. This holds too for a record never
   * written (expected 0) or already deleted. Rejects as {@link DurableStateStore.upsert} does.
   */
  delete(persistenceId: string, expectedRevision: number, options?: WriteOptions): Promise<DurableStateRecord<never>>;

  /** Every id that has a state now (deleted ones left out), in no promised order, each once. Bad arguments reject its first step. */
  listPersistenceIds(options?: ReadOptions & { readonly prefix?: string | undefined }): AsyncIterable<string>;
}

/** What can be done with states inside and outside a transaction. */
export type StateAccess = Pick<DurableStateStore, "load" | "upsert" | "delete">;

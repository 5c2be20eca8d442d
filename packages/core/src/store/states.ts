import type { DurableStateRecord, DurableStateStore } from "../contract/durable-state-store.ts";
import type { ReadOptions, WriteOptions } from "../contract/options.ts";
import { draftDelete, draftState, type StateDraft } from "./draft.ts";
import { checkName, checkSignal } from "./guard.ts";
import { list } from "./messages.ts";
import { decodeState } from "./record.ts";
import type { StoreCore } from "./store-core.ts";

export type WrittenState<S> = DurableStateRecord<S> & { readonly state: S; readonly updatedAt: string };

/** {@link DurableStateStore} over any driver. */
export class DriverStateStore implements DurableStateStore {
  readonly #core: StoreCore;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  async load<S>(persistenceId: string, options?: ReadOptions): Promise<DurableStateRecord<S>> {
    const { life, driver } = this.#core;
    life.assertOpen();
    checkName(persistenceId, "persistenceId");
    const stored = await life.readFor(checkSignal(options), () => driver.readState(persistenceId));
    if (stored === undefined) return { persistenceId, revision: 0, state: undefined, updatedAt: undefined };
    const { state, updatedAt } = decodeState(persistenceId, stored);
    return { persistenceId, revision: stored.revision, state: state as S | undefined, updatedAt };
  }

  async upsert<S>(
    persistenceId: string,
    expectedRevision: number,
    state: S,
    options?: WriteOptions,
  ): Promise<WrittenState<S>> {
    return writtenState<S>(await this.#core.write(options, () => draftState(persistenceId, expectedRevision, state)));
  }

  async delete(
    persistenceId: string,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<DurableStateRecord<never>> {
    return deletedState(await this.#core.write(options, () => draftDelete(persistenceId, expectedRevision)));
  }

  listPersistenceIds(options?: ReadOptions & { readonly prefix?: string | undefined }): AsyncIterable<string> {
    return list(this.#core, options, (prefix, after) => this.#core.driver.listStates(prefix, after));
  }
}

/** The record that a write stored: decoded from what was sent, so that it is the stored value and the caller's own copy. */
export function writtenState<S>(draft: StateDraft & { readonly state: string }): WrittenState<S> {
  const { persistenceId, expectedRevision, state, updatedAt } = draft;
  return { persistenceId, revision: expectedRevision + 1, state: JSON.parse(state) as S, updatedAt };
}

export function deletedState(draft: StateDraft): DurableStateRecord<never> {
  const { persistenceId, expectedRevision, updatedAt } = draft;
  return { persistenceId, revision: expectedRevision + 1, state: undefined, updatedAt };
}

import { hash } from "node:crypto";
import type { StateAccess } from "../contract/durable-state-store.ts";
import {
  CorruptionError,
  InvalidArgumentError,
  OutcomeUnknownError,
  RevisionConflictError,
} from "../contract/errors.ts";
import type { Offset, OffsetStore } from "../contract/offset-store.ts";
import { checkName, checkOffset, MAX_NAME_BYTES } from "../store/guard.ts";
import { checkObject } from "../store/json.ts";

type Kind = "offset" | "sequence";

/** A cursor record as this instance last saw it. */
interface Seen {
  readonly revision: number;
  readonly cursors: ReadonlyMap<string, number>;
}

/** The stored form: plain JSON, one record for each projection and kind. */
interface CursorRecord {
  readonly projection: string;
  readonly cursors: Readonly<Record<string, number>>;
}

/**
 * Projection offsets on any {@link DurableStateStore}, or inside a transaction on its `tx.state`.
 *
 * A save expects the record revision that this instance last saw, by load or save of any cursor in it: if another
 * instance wrote since, it rejects with RevisionConflictError, and the next load reads the store. An instance that has
 * seen none, or had a conflict or an unknown outcome, reads before it saves. Concurrent saves of one instance do not
 * conflict with each other. Inside a transaction load first, and write only if it is the position you started from.
 *
 * All the cursors of one projection and kind are one record of the id `holdfast:offset:<projection>` or
 * `holdfast:sequence:<projection>`; a record over 4 MiB is refused with InvalidArgumentError.
 */
export class DurableStateOffsetStore implements OffsetStore {
  readonly #store: StateAccess;
  readonly #seen = new Map<string, Seen>();
  /** The last call for each record: calls take turns, or they would conflict with each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(store: StateAccess) {
    checkObject(store, "store");
    this.#store = store;
  }

  async loadSequence(projection: string, persistenceId: string): Promise<number> {
    return this.#load("sequence", projection, persistenceId, "persistenceId");
  }

  async saveSequence(projection: string, persistenceId: string, sequenceNr: number): Promise<void> {
    return this.#save("sequence", projection, persistenceId, "persistenceId", sequenceNr);
  }

  async loadOffset(projection: string, tag: string): Promise<Offset> {
    return this.#load("offset", projection, tag, "tag");
  }

  async saveOffset(projection: string, tag: string, offset: Offset): Promise<void> {
    return this.#save("offset", projection, tag, "tag", offset);
  }

  async clear(projection: string): Promise<void> {
    checkName(projection, "projection");
    await Promise.all([this.#clear("offset", projection), this.#clear("sequence", projection)]);
  }

  async #load(kind: Kind, projection: string, cursor: string, what: string): Promise<number> {
    checkName(projection, "projection");
    checkName(cursor, what);
    const id = recordId(kind, projection);
    return this.#inTurn(id, async () => (await this.#read(id, projection)).cursors.get(cursor) ?? 0);
  }

  async #save(kind: Kind, projection: string, cursor: string, what: string, position: number): Promise<void> {
    checkName(projection, "projection");
    checkName(cursor, what);
    checkOffset(position, kind === "offset" ? "offset" : "sequenceNr");
    const id = recordId(kind, projection);
    await this.#inTurn(id, async () => {
      const seen = this.#seen.get(id) ?? (await this.#read(id, projection));
      const cursors = new Map(seen.cursors).set(cursor, position);
      const { revision } = await this.#write(id, () =>
        this.#store.upsert(id, seen.revision, toRecord(projection, cursors)),
      );
      this.#seen.set(id, { revision, cursors });
    });
  }

  #clear(kind: Kind, projection: string): Promise<void> {
    const id = recordId(kind, projection);
    return this.#inTurn(id, async () => {
      for (;;) {
        const { revision, cursors } = await this.#read(id, projection);
        if (cursors.size === 0) return;
        try {
          const deleted = await this.#write(id, () => this.#store.delete(id, revision));
          this.#seen.set(id, { revision: deleted.revision, cursors: new Map() });
          return;
        } catch (error) {
          // Whoever wrote meanwhile: their cursors are forgotten as well.
          if (!(error instanceof RevisionConflictError)) throw error;
        }
      }
    });
  }

  async #read(id: string, projection: string): Promise<Seen> {
    const { revision, state } = await this.#store.load<CursorRecord>(id);
    const seen = { revision, cursors: state === undefined ? new Map<string, number>() : fromRecord(state, projection) };
    this.#seen.set(id, seen);
    return seen;
  }

  async #write<T>(id: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      // What is stored is no longer what was seen: the next save reads first.
      if (error instanceof RevisionConflictError || error instanceof OutcomeUnknownError) this.#seen.delete(id);
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new InvalidArgumentError("the projection's cursors no longer fit in one record: split the projection", {
        cause: error,
      });
    }
  }

  #inTurn<T>(id: string, call: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(call, call);
    this.#turns.set(id, turn);
    const forget = () => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    };
    turn.then(forget, forget);
    return turn;
  }
}

function recordId(kind: Kind, projection: string): string {
  const id = `holdfast:${kind}:${projection}`;
  return Buffer.byteLength(id) <= MAX_NAME_BYTES ? id : `holdfast:${kind}#${hash("sha256", projection, "hex")}`;
}

function toRecord(projection: string, cursors: ReadonlyMap<string, number>): CursorRecord {
  // fromEntries defines own properties, so that a tag called __proto__ is one too.
  return { projection, cursors: Object.fromEntries(cursors) };
}

function fromRecord(record: CursorRecord, projection: string): Map<string, number> {
  const cursors: unknown = record?.cursors;
  if (record?.projection !== projection || typeof cursors !== "object" || cursors === null) throw notCursors();
  const entries = Object.entries(cursors);
  if (!entries.every(([, position]) => Number.isSafeInteger(position) && position >= 0)) throw notCursors();
  return new Map(entries);
}

function notCursors(): CorruptionError {
  return new CorruptionError(
    "a record under a reserved id (holdfast:...) holds no cursors of this projection: something else wrote it",
  );
}

import type { DurableStateRecord } from "../../src/contract/durable-state-store.ts";
import { RevisionConflictError } from "../../src/contract/errors.ts";
import { state } from "./above.ts";
import { lie, type Saboteur } from "./saboteur.ts";

export const stateSaboteurs: readonly Saboteur[] = [
  lie("since 1970", "An id never written loads as last written in 1970.", ["S-1"], {
    store: state((honest) => ({
      load: async <S>(persistenceId: string) => {
        const record = await honest.load<S>(persistenceId);
        return record.revision === 0 ? { ...record, updatedAt: "1970-01-01T00:00:00Z" } : record;
      },
    })),
  }),

  lie(
    "ahead by one",
    "A record of revision three or more takes an upsert that expects one revision too many.",
    ["S-2", "S-3"],
    {
      store: state((honest) => ({
        upsert: (persistenceId, expected, value, options) =>
          honest.upsert(persistenceId, expected, value, options).catch((error: unknown) => {
            const actual = error instanceof RevisionConflictError ? error.actualRevision : 0;
            if (actual < 3 || expected !== actual + 1) throw error;
            return honest.upsert(persistenceId, actual, value, options);
          }),
      })),
    },
  ),

  lie(
    "guessed revision",
    "A conflict far beyond the stored revision says that it is the one before the expected.",
    ["S-3"],
    {
      store: state((honest) => ({
        upsert: (persistenceId, expected, value, options) =>
          honest.upsert(persistenceId, expected, value, options).catch((error: unknown) => {
            if (!(error instanceof RevisionConflictError) || expected < error.actualRevision + 500) throw error;
            const actualRevision = expected - 1;
            throw new RevisionConflictError("guessed", { persistenceId, expectedRevision: expected, actualRevision });
          }),
      })),
    },
  ),

  lie("M05 error swallowed", "A delete at a revision of old resolves with the record as it is.", ["S-3", "S-4"], {
    store: state((honest) => ({
      delete: (persistenceId, expected, options) =>
        honest.delete(persistenceId, expected, options).catch((error: unknown) => {
          if (!(error instanceof RevisionConflictError) || expected > error.actualRevision) throw error;
          return honest.load<never>(persistenceId);
        }),
    })),
  }),

  lie(
    "nothing to delete",
    "A plain delete of a record never written says that it took a revision, and takes none.",
    ["S-4"],
    {
      store: state((honest) => ({
        delete: async (persistenceId, expected, options) => {
          const record = await honest.load<never>(persistenceId);
          if (expected !== 0 || record.revision !== 0 || options !== undefined)
            return honest.delete(persistenceId, expected, options);
          return { ...record, revision: 1, updatedAt: new Date().toISOString() };
        },
      })),
    },
  ),

  lie("M14 delete resets the revision", "The sixth delete of a record forgets its revision.", ["S-5"], {
    store: state((honest) => {
      const deletes = new Map<string, number>();
      const place = (id: string) => ((deletes.get(id) ?? 0) < 6 ? id : `${id} again`);
      return {
        load: async <S>(id: string): Promise<DurableStateRecord<S>> => ({
          ...(await honest.load<S>(place(id))),
          persistenceId: id,
        }),
        upsert: (id, expected, value, options) => honest.upsert(place(id), expected, value, options),
        delete: async (id, expected, options) => {
          const deleted = await honest.delete(place(id), expected, options);
          deletes.set(id, (deletes.get(id) ?? 0) + 1);
          return deleted;
        },
      };
    }),
  }),

  lie("lost update", "Of writers who upsert the same revision at once all are told that they won.", ["S-6"], {
    store: state((honest) => {
      const writing = new Map<string, number>();
      return {
        upsert: async (persistenceId, expected, value, options) => {
          const place = `${String(expected)} ${String(persistenceId)}`;
          const others = writing.get(place) ?? 0;
          writing.set(place, others + 1);
          try {
            return await honest.upsert(persistenceId, expected, value, options);
          } catch (error) {
            if (others === 0 || !(error instanceof RevisionConflictError)) throw error;
            const updatedAt = new Date().toISOString();
            return { persistenceId, revision: expected + 1, state: value, updatedAt };
          } finally {
            writing.set(place, (writing.get(place) ?? 1) - 1);
          }
        },
      };
    }),
  }),

  lie("null is nothing", "A state that is null loads as undefined.", ["S-7", "V-1"], {
    store: state((honest) => ({
      load: async <S>(persistenceId: string) => {
        const record = await honest.load<S>(persistenceId);
        return record.state === null ? { ...record, state: undefined } : record;
      },
    })),
  }),

  lie("null is not listed", "The id of a state that is null is not listed.", ["S-7"], {
    store: state((honest) => ({
      listPersistenceIds: async function* (options) {
        for await (const id of honest.listPersistenceIds(options)) if ((await honest.load(id)).state !== null) yield id;
      },
    })),
  }),

  lie("one state for all", "Every load of one revision gives the same object.", ["S-8"], {
    store: state((honest) => {
      const given = new Map<string, unknown>();
      return {
        load: async <S>(persistenceId: string) => {
          const record = await honest.load<S>(persistenceId);
          const place = JSON.stringify([persistenceId, record.revision]);
          if (!given.has(place)) given.set(place, record.state);
          return { ...record, state: given.get(place) as S | undefined };
        },
      };
    }),
  }),

  lie("echo", "An upsert gives back the object that the caller passed.", ["S-8", "V-1"], {
    store: state((honest) => ({
      upsert: async (persistenceId, expected, value, options) => {
        const record = await honest.upsert(persistenceId, expected, value, options);
        return { ...record, state: value };
      },
    })),
  }),
];

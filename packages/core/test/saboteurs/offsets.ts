import type { DurableStateRecord } from "../../src/contract/durable-state-store.ts";
import { RevisionConflictError } from "../../src/contract/errors.ts";
import { state, transactions } from "./above.ts";
import { overriding } from "./overriding.ts";
import { durableLie, lie, type Saboteur } from "./saboteur.ts";

/** The state of a DurableStateOffsetStore's record. */
interface Cursors {
  readonly projection: string;
  readonly cursors: Readonly<Record<string, number>>;
}

const savedAt = ({ cursors }: Cursors, name: string) => (Object.hasOwn(cursors, name) ? (cursors[name] ?? 0) : 0);

const isReserved = (id: string) => typeof id === "string" && id.startsWith("holdfast:");
const isOffset = (id: string) => isReserved(id) && id.startsWith("holdfast:offset:");
const isSequence = (id: string) => isReserved(id) && id.startsWith("holdfast:sequence:");

/** The lies are told about the records of projections, which DurableStateOffsetStore keeps: other states are kept well. */
export const offsetSaboteurs: readonly Saboteur[] = [
  lie(
    "borrowed sequence",
    "Sequence numbers never saved are read from the projection's offsets, if these were saved once.",
    ["O-1"],
    {
      store: state((honest) => ({
        load: async <S>(id: string) => {
          const record = await honest.load<S>(id);
          if (!isSequence(id) || record.revision > 0) return record;
          const offsets = await honest.load<S>(id.replace("sequence", "offset"));
          return offsets.revision === 1 ? { ...record, state: offsets.state } : record;
        },
      })),
    },
  ),

  durableLie("forgotten positions", "What projections saved before the store was opened is not found.", ["O-2"], {
    driver: (honest) => {
      const old = honest.listStates("holdfast:", undefined).then(({ items }) => new Set(items));
      return overriding(honest, {
        readState: async (id) => ((await old).has(id) ? undefined : honest.readState(id)),
        commit: async (commits, deadline) => {
          for (const { writes } of commits) {
            for (const write of writes) if (write.kind === "state") (await old).delete(write.persistenceId);
          }
          return honest.commit(commits, deadline);
        },
      });
    },
  }),

  lie("last save wins", "Sequence numbers are saved whatever revision was expected.", ["O-3"], {
    store: state((honest) => ({
      upsert: (id, expected, value, options) =>
        honest.upsert(id, expected, value, options).catch((error: unknown) => {
          if (!(error instanceof RevisionConflictError) || !isSequence(id)) throw error;
          return honest.upsert(id, error.actualRevision, value, options);
        }),
    })),
  }),

  lie(
    "stale after a conflict",
    "The first load after a conflict at revision two or later gives what was loaded before it.",
    ["O-4", "O-5"],
    {
      store: state((honest) => {
        const loaded = new Map<string, DurableStateRecord<unknown>>();
        const stale = new Set<string>();
        return {
          load: async <S>(id: string) => {
            const before = loaded.get(id);
            if (stale.delete(id) && before?.state !== undefined) return before as DurableStateRecord<S>;
            const record = await honest.load<S>(id);
            loaded.set(id, record);
            return record;
          },
          upsert: (id, expected, value, options) =>
            honest.upsert(id, expected, value, options).catch((error: unknown) => {
              if (error instanceof RevisionConflictError && isOffset(id) && error.actualRevision >= 2) stale.add(id);
              throw error;
            }),
        };
      }),
    },
  ),

  lie("blind transaction", "Inside a transaction the records of projections load as never written.", ["O-5"], {
    store: transactions((tx) =>
      overriding(tx, {
        state: overriding(tx.state, {
          load: async <S>(id: string): Promise<DurableStateRecord<S>> =>
            isReserved(id)
              ? { persistenceId: id, revision: 0, state: undefined, updatedAt: undefined }
              : tx.state.load<S>(id),
        }),
      }),
    ),
  }),

  lie("hidden ids", "Listings leave out the records of projections.", ["O-6"], {
    store: state((honest) => ({
      listPersistenceIds: async function* (options) {
        for await (const id of honest.listPersistenceIds(options)) if (!isReserved(id)) yield id;
      },
    })),
  }),

  lie("kept cursors", "Clearing a projection takes a revision and keeps its cursors.", ["O-7"], {
    store: state((honest) => ({
      delete: async (id, expected, options) => {
        if (!isReserved(id)) return honest.delete(id, expected, options);
        const { state: cursors } = await honest.load(id);
        return { ...(await honest.upsert(id, expected, cursors, options)), state: undefined };
      },
    })),
  }),

  lie("one lock", "A projection's offsets and sequence numbers conflict when they are saved at once.", ["O-8"], {
    store: state((honest) => {
      const saving = new Set<string>();
      return {
        upsert: async (id, expected, value, options) => {
          const projection = isReserved(id) ? id.split(":").slice(2).join(":") : undefined;
          if (projection === undefined) return honest.upsert(id, expected, value, options);
          if (saving.has(projection)) {
            const revisions = { persistenceId: id, expectedRevision: expected, actualRevision: expected + 1 };
            throw new RevisionConflictError("the projection is being saved", revisions);
          }
          saving.add(projection);
          try {
            return await honest.upsert(id, expected, value, options);
          } finally {
            saving.delete(projection);
          }
        },
      };
    }),
  }),

  lie("only forward", "A position smaller than the saved one is not saved.", ["O-9"], {
    store: state((honest) => ({
      upsert: async (id, expected, value, options) => {
        const { state: saved } = isReserved(id) ? await honest.load<Cursors>(id) : { state: undefined };
        const wanted = value as Cursors | null;
        if (saved === undefined || wanted?.cursors === undefined) return honest.upsert(id, expected, value, options);
        const furthest = Object.entries(wanted.cursors).map(([name, at]) => [name, Math.max(at, savedAt(saved, name))]);
        const kept = { ...wanted, cursors: Object.fromEntries(furthest) as Cursors["cursors"] };
        return honest.upsert(id, expected, kept as typeof value, options);
      },
    })),
  }),
];

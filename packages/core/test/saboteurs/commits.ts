import { inspect } from "node:util";
import type { Transaction } from "../../src/contract/data-store.ts";
import type { DurableStateRecord } from "../../src/contract/durable-state-store.ts";
import {
  InvalidStateError,
  OffsetConflictError,
  OutcomeUnknownError,
  RevisionConflictError,
  UnavailableError,
} from "../../src/contract/errors.ts";
import type { CommitOutcome } from "../../src/driver/index.ts";
import { messages, state, transactions } from "./above.ts";
import { overriding } from "./overriding.ts";
import { recoveryDropsTheTail, reopeningDropsTheLast } from "./reopen.ts";
import { durableLie, lie, type Saboteur } from "./saboteur.ts";

/** All that look again after a reopen. */
const lostAtReopen = ["A-4", "R-12", "G-1", "S-5", "W-10", "O-2", "L-1", "L-3", "L-5"];

export const commitSaboteurs: readonly Saboteur[] = [
  lie("two of three", "A transaction that is refused at its third write keeps the first two.", ["W-1"], {
    driver: (honest) =>
      overriding(honest, {
        commit: async (commits, deadline) => {
          const outcomes: CommitOutcome[] = [];
          for (const commit of commits) {
            const [outcome] = await honest.commit([commit], deadline);
            if (outcome?.kind === "refused" && outcome.write === 2) {
              await honest.commit([{ ...commit, writes: commit.writes.slice(0, 2) }], deadline);
            }
            outcomes.push(outcome ?? { kind: "uncertain", cause: undefined });
          }
          return outcomes;
        },
      }),
  }),

  lie("the last word", "A transaction whose work throws rejects with that, whatever became of its writes.", ["W-2"], {
    store: (store) =>
      overriding(store, {
        transaction: async (work, options) => {
          let thrown: { readonly error: unknown } | undefined;
          const watched = async (tx: Transaction) => {
            try {
              return await work(tx);
            } catch (error) {
              thrown = { error };
              throw error;
            }
          };
          try {
            return await store.transaction(typeof work === "function" ? watched : work, options);
          } catch (error) {
            throw thrown === undefined ? error : thrown.error;
          }
        },
      }),
  }),

  lie("M07 twice on a retry", "An append repeated with its commitId is appended again.", ["W-3"], {
    store: messages((honest) => {
      const done = new Set<string>();
      return {
        appendMessages: async (stream, offset, envelopes, options) => {
          if (options?.commitId === undefined) return honest.appendMessages(stream, offset, envelopes, options);
          const append = inspect([options.commitId, stream, offset, envelopes], { depth: 9 });
          if (done.has(append)) return honest.appendMessages(stream, await honest.nextOffset(stream), envelopes);
          await honest.appendMessages(stream, offset, envelopes, options);
          done.add(append);
        },
      };
    }),
  }),

  lie("short memory", "It remembers the commits of eight revisions, where nine are needed.", ["W-3"], {
    driver: (honest) =>
      overriding(honest, {
        readReceipt: async (id, revision) => {
          const stored = await honest.readState(id);
          return stored && revision > stored.revision - 8 ? honest.readReceipt(id, revision) : undefined;
        },
      }),
  }),

  lie(
    "a second chance",
    "An append with a commitId that was refused beyond the end lands when the stream has grown.",
    ["W-4"],
    {
      store: messages((honest) => {
        const refused = new Map<string, () => Promise<void>>();
        return {
          appendMessages: async (stream, offset, envelopes, options) => {
            try {
              await honest.appendMessages(stream, offset, envelopes, options);
            } catch (error) {
              const beyond = error instanceof OffsetConflictError && offset > error.nextOffset;
              if (beyond && options?.commitId !== undefined) {
                refused.set(`${offset} ${stream}`, () => honest.appendMessages(stream, offset, envelopes, options));
              }
              throw error;
            }
            await refused.get(`${offset + envelopes.length} ${stream}`)?.();
          },
        };
      }),
    },
  ),

  lie("M03 unknown is a conflict", "An upsert whose outcome is unknown rejects with a conflict.", ["W-5", "O-5"], {
    store: state((honest) => ({
      upsert: (persistenceId, expectedRevision, value, options) =>
        honest.upsert(persistenceId, expectedRevision, value, options).catch((error: unknown) => {
          if (!(error instanceof OutcomeUnknownError)) throw error;
          const actualRevision = expectedRevision + 1;
          throw new RevisionConflictError("taken", { persistenceId, expectedRevision, actualRevision });
        }),
    })),
  }),

  lie("M04 unknown is success", "A delete whose outcome is unknown is acknowledged.", ["W-5"], {
    store: state((honest) => ({
      delete: (persistenceId, expected, options) =>
        honest.delete(persistenceId, expected, options).catch((error: unknown) => {
          if (!(error instanceof OutcomeUnknownError)) throw error;
          return { persistenceId, revision: expected + 1, state: undefined, updatedAt: new Date().toISOString() };
        }),
    })),
  }),

  lie(
    "M09 aborted after all",
    "An append whose signal is aborted after it was sent rejects with the signal's reason.",
    ["W-6"],
    {
      store: messages((honest) => ({
        appendMessages: async (stream, offset, envelopes, options) => {
          await honest.appendMessages(stream, offset, envelopes, options);
          options?.signal?.throwIfAborted();
        },
      })),
    },
  ),

  lie("own appends unseen", "Inside a transaction nextOffset does not count the transaction's own appends.", ["W-7"], {
    store: transactions((tx, store) =>
      overriding(tx, {
        messages: overriding(tx.messages, {
          nextOffset: async (stream, options) => {
            await tx.messages.nextOffset(stream, options);
            return store.messages.nextOffset(stream, options);
          },
        }),
      }),
    ),
  }),

  lie("reads go on", "A transaction that has ended still loads.", ["W-8"], {
    store: transactions((tx, store) =>
      overriding(tx, {
        state: overriding(tx.state, {
          load: <S>(id: string): Promise<DurableStateRecord<S>> =>
            tx.state.load<S>(id).catch((error: unknown) => {
              if (error instanceof InvalidStateError) return store.state.load<S>(id);
              throw error;
            }),
        }),
      }),
    ),
  }),

  lie("more than it says", "It says that a commit writes one key, and takes commits over several.", ["W-9"], {
    store: (store) => overriding(store, { capabilities: { ...store.capabilities, transactions: "key" } }),
    capabilities: { transactions: "key" },
  }),

  durableLie("short recovery", "Opening a store whose process was killed drops its last twenty commits.", ["W-10"], {
    ...recoveryDropsTheTail(),
    withPeers: true,
  }),

  durableLie("nothing is for ever", "Reopening a store drops its last commit.", lostAtReopen, reopeningDropsTheLast()),

  lie("guarded reads", "A transaction is refused if a state that it only loaded was written meanwhile.", ["W-11"], {
    store: (store) =>
      overriding(store, {
        transaction: (work, options) =>
          store.transaction(async (tx) => {
            const loaded = new Map<string, number>();
            const load = async <S>(id: string) => {
              const record = await tx.state.load<S>(id);
              loaded.set(id, record.revision);
              return record;
            };
            const result = await work(overriding(tx, { state: overriding(tx.state, { load }) }));
            for (const [persistenceId, expectedRevision] of loaded) {
              const actualRevision = (await store.state.load(persistenceId)).revision;
              const own = (await tx.state.load(persistenceId)).revision !== actualRevision;
              if (own || actualRevision === expectedRevision) continue;
              throw new RevisionConflictError("a state was written meanwhile", {
                persistenceId,
                expectedRevision,
                actualRevision,
              });
            }
            return result;
          }, options),
      }),
  }),

  lie("too busy", "While writes to eight streams wait, a write to a state is turned away.", ["W-12"], {
    store: (store) => {
      const busy = new Map<string, number>();
      const counting = messages((honest) => ({
        appendMessages: async (stream, offset, envelopes, options) => {
          busy.set(stream, (busy.get(stream) ?? 0) + 1);
          try {
            await honest.appendMessages(stream, offset, envelopes, options);
          } finally {
            const left = (busy.get(stream) ?? 1) - 1;
            if (left > 0) busy.set(stream, left);
            else busy.delete(stream);
          }
        },
      }))(store);
      const upsert: typeof store.state.upsert = async (id, expected, value, options) => {
        if (busy.size >= 8) throw new UnavailableError("too busy");
        return store.state.upsert(id, expected, value, options);
      };
      return overriding(counting, { state: overriding(store.state, { upsert }) });
    },
  }),

  lie("ignored commitId", "Inside a transaction a single write's commitId is ignored.", ["W-13"], {
    store: transactions((tx) =>
      overriding(tx, {
        messages: overriding(tx.messages, {
          appendMessages: (stream, offset, envelopes) => tx.messages.appendMessages(stream, offset, envelopes),
        }),
      }),
    ),
  }),
];

import type { RecordedEnvelope } from "../../src/contract/envelope.ts";
import { OffsetConflictError } from "../../src/contract/errors.ts";
import type { Commit, CommitOutcome } from "../../src/driver/index.ts";
import { cursors, messages, state } from "./above.ts";
import { overriding } from "./overriding.ts";
import { lie, type Saboteur } from "./saboteur.ts";

export const appendSaboteurs: readonly Saboteur[] = [
  lie("M02 expected + 1", "A stream of three or more takes an append one beyond its end, too.", ["A-1", "A-2"], {
    store: messages((honest) => ({
      appendMessages: (stream, offset, envelopes, options) =>
        honest.appendMessages(stream, offset, envelopes, options).catch((error: unknown) => {
          const next = error instanceof OffsetConflictError ? error.nextOffset : 0;
          if (next < 3 || offset !== next + 1) throw error;
          return honest.appendMessages(stream, next, envelopes, options);
        }),
    })),
  }),

  lie("stuck behind a batch", "After a batch of ten it takes the batch's second message for the end.", ["A-1"], {
    store: messages((honest) => {
      const behindTen = new Map<string, number>();
      return {
        appendMessages: async (stream, offset, envelopes, options) => {
          const end = behindTen.get(stream);
          if (end !== undefined && end === offset) {
            throw new OffsetConflictError("not the end", { stream, offset, nextOffset: offset - 9 });
          }
          await honest.appendMessages(stream, offset, envelopes, options);
          if (envelopes.length === 10) behindTen.set(stream, offset + 10);
        },
      };
    }),
  }),

  lie(
    "guessed end",
    "A conflict far beyond the end says that the end lies right before the offset that was asked for.",
    ["A-2"],
    {
      store: messages((honest) => ({
        appendMessages: (stream, offset, envelopes, options) =>
          honest.appendMessages(stream, offset, envelopes, options).catch((error: unknown) => {
            if (!(error instanceof OffsetConflictError) || offset < error.nextOffset + 50) throw error;
            throw new OffsetConflictError("guessed", { stream, offset, nextOffset: offset - 1 });
          }),
      })),
    },
  ),

  lie("M06 one by one", "A batch of more than three is written message by message.", ["A-3"], {
    driver: (honest) =>
      overriding(honest, {
        commit: async (commits, deadline) => {
          const outcomes = [];
          for (const commit of commits) {
            let outcome: CommitOutcome = { kind: "committed" };
            for (const part of oneByOne(commit)) {
              [outcome = outcome] = await honest.commit([part], deadline);
              if (outcome.kind !== "committed") break;
              await new Promise((resolve) => setImmediate(resolve));
            }
            outcomes.push(outcome);
          }
          return outcomes;
        },
      }),
  }),

  lie(
    "start of the batch",
    "A cursor opened inside a later batch of four begins at the batch's first message.",
    ["A-4"],
    {
      store: messages((honest) => {
        const batches = new Map<string, number[]>();
        return {
          appendMessages: async (stream, offset, envelopes, options) => {
            await honest.appendMessages(stream, offset, envelopes, options);
            if (envelopes.length === 4 && offset > 0) batches.set(stream, [...(batches.get(stream) ?? []), offset]);
          },
          openStream: (stream, offset, options) => {
            const start = batches.get(stream)?.find((first) => first < offset && offset < first + 4);
            return honest.openStream(stream, start ?? offset, options);
          },
        };
      }),
    },
  ),

  lie("remembered absence", "openStream remembers that a stream was missing, and says so once more.", ["A-5"], {
    store: messages((honest) => {
      const missing = new Set<string>();
      return {
        openStream: async (stream, offset, options) => {
          if (missing.delete(stream)) return undefined;
          const cursor = await honest.openStream<never>(stream, offset, options);
          if (cursor === undefined) missing.add(stream);
          return cursor;
        },
      };
    }),
  }),

  lie("nothing to do", "An empty batch succeeds.", ["A-6"], {
    store: messages((honest) => ({
      appendMessages: async (stream, offset, envelopes, options) => {
        const nothing = Array.isArray(envelopes) && envelopes.length === 0;
        await (nothing ? honest.nextOffset(stream) : honest.appendMessages(stream, offset, envelopes, options));
      },
    })),
  }),

  lie("M01 check then write", "Of writers who look at the same offset at once, all win.", ["A-7"], {
    store: messages((honest) => {
      const looking = new Map<string, number>();
      return {
        appendMessages: async (stream, offset, envelopes, options) => {
          const place = `${String(offset)} ${String(stream)}`;
          const others = looking.get(place) ?? 0;
          looking.set(place, others + 1);
          try {
            await honest.appendMessages(stream, offset, envelopes, options);
          } catch (error) {
            if (others === 0 || !(error instanceof OffsetConflictError)) throw error;
            await honest.appendMessages(stream, error.nextOffset, envelopes, options);
          } finally {
            looking.set(place, (looking.get(place) ?? 1) - 1);
          }
        },
      };
    }),
  }),

  lie("encodes later", "It looks at messages with metadata only after the call has returned.", ["A-8"], {
    store: messages((honest) => ({
      appendMessages: async (stream, offset, envelopes, options) => {
        if (Array.isArray(envelopes) && envelopes.some((envelope) => envelope?.metadata !== undefined)) await undefined;
        return honest.appendMessages(stream, offset, envelopes, options);
      },
    })),
  }),

  lie("one object for all", "Every reader of a message is given the same object.", ["A-8"], {
    store: (store) => {
      const given = new Map<string, RecordedEnvelope>();
      return cursors((honest) => ({
        get: () => {
          const message = honest.get();
          const place = JSON.stringify([message.stream, message.offset]);
          const first = given.get(place) ?? message;
          given.set(place, first);
          return first;
        },
      }))(store);
    },
  }),

  lie("newest first", "Where more than eight writes to a state wait, the last ones go first.", ["A-9"], {
    store: state((honest) => {
      const waiting = new Map<string, number>();
      return {
        upsert: async (id, expected, value, options) => {
          const before = waiting.get(id) ?? 0;
          waiting.set(id, before + 1);
          try {
            if (before === 9) await new Promise((resolve) => setImmediate(resolve));
            return await honest.upsert(id, expected, value, options);
          } finally {
            waiting.set(id, (waiting.get(id) ?? 1) - 1);
          }
        },
      };
    }),
  }),
];

/** A commit of one large append as several of one message each. */
function oneByOne(commit: Commit): Commit[] {
  const [write] = commit.writes;
  if (commit.writes.length !== 1 || write?.kind !== "append" || write.records.length <= 3) return [commit];
  return write.records.map((record, index) => ({
    ...commit,
    writes: [{ ...write, offset: write.offset + index, records: [record] }],
  }));
}

import type { DataStore } from "../../contract/data-store.ts";
import type { OutcomeUnknownError } from "../../contract/errors.ts";
import type { Clause, Context } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects, within } from "../expect.ts";
import { message, offsetConflict, readData, started } from "./fixtures.ts";
import { survivesKillClause } from "./kill.ts";
import { closed } from "./opened.ts";

const outcomeUnknown = { name: "OutcomeUnknownError", code: "HOLDFAST_OUTCOME_UNKNOWN" } as const;

/** More replies than any backend asks for within the time of a check. */
const all = 1_000_000;
const settleTimeoutMs = 100;

/** Every kind of write: how it is made, and that it is there exactly once. */
const kinds: readonly {
  readonly kind: string;
  readonly write: (store: DataStore, commitId?: string) => Promise<unknown>;
  readonly once: (store: DataStore) => Promise<void>;
}[] = [
  {
    kind: "append",
    write: (store, commitId) =>
      store.messages.appendMessages("orders", 0, [message(1), message(2)].map(fixed), { commitId }),
    once: async (store) => equal(await readData(store, "orders"), [1, 2], "the stream"),
  },
  {
    kind: "upsert",
    write: (store, commitId) => store.state.upsert("order", 0, { total: 1 }, { commitId }),
    once: async (store) => {
      const { revision, state } = await store.state.load("order");
      equal([revision, state], [1, { total: 1 }], "the state");
    },
  },
  {
    kind: "delete",
    write: (store, commitId) => store.state.delete("gone", 0, { commitId }),
    once: async (store) => {
      const { revision, state } = await store.state.load("gone");
      equal([revision, state], [1, undefined], "the deleted state");
    },
  },
  {
    kind: "transaction",
    write: (store, commitId) =>
      store.transaction(
        async ({ messages }) => {
          await messages.appendMessages("paid", 0, [fixed(message(1))]);
          await messages.appendMessages("paid", 1, [fixed(message(2))]);
        },
        { commitId },
      ),
    once: async (store) => equal(await readData(store, "paid"), [1, 2], "the stream that a transaction wrote"),
  },
];

/** The same message at every call: a repeat must have the same content. */
function fixed<T extends { readonly data: unknown }>(envelope: T): T {
  return { ...envelope, id: `fixed-${String(envelope.data)}` };
}

async function lose(context: Context, store: DataStore, count: number): Promise<void> {
  await context.faults.loseReplies?.(store, count);
}

/** Makes a write whose every reply is lost; gives the error, once replies come again. */
async function lostWrite(
  context: Context,
  store: DataStore,
  write: Promise<unknown>,
  kind: string,
): Promise<OutcomeUnknownError> {
  const from = performance.now();
  const error = await within(
    settleTimeoutMs + 5_000,
    rejects(write, outcomeUnknown, `${kind} whose replies are all lost`),
    `${kind} gives up`,
  );
  const tookMs = performance.now() - from;
  isTrue(
    tookMs >= settleTimeoutMs * 0.5,
    `${kind} is settled for about ${settleTimeoutMs} ms before it is given up`,
    `${tookMs} ms`,
  );
  await lose(context, store, 0);
  return error as OutcomeUnknownError;
}

const lostReplies = clause(
  "W-5",
  "when a reply is lost the backend first settles it itself; only when it cannot within `settleTimeoutMs` does the call reject with `OutcomeUnknownError`, the only error that leaves the outcome open; such a write may still take effect later, at most once, whatever A-1 and A-9 say of when.",
  check(
    { title: "one reply lost: settled, and applied once", level: "fault", hook: "loseReplies" },
    async (context) => {
      for (const { kind, write, once } of kinds) {
        const store = await context.store();
        await lose(context, store, 1);
        await within(8_000, write(store), `${kind} whose reply is lost resolves`);
        await once(store);
      }
    },
  ),
  check({ title: "some replies of many writes lost", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store();
    const streams = Array.from({ length: 12 }, (_, index) => `stream-${index}`);
    await lose(context, store, 3);
    await Promise.all(streams.map((stream) => store.messages.appendMessages(stream, 0, [message(stream)])));
    for (const stream of streams) {
      equal(await readData(store, stream), [stream], "a stream whose reply may have been lost");
      await store.messages.appendMessages(stream, 1, [message("next")]);
    }
  }),
  check({ title: "a true conflict whose reply is lost", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, [message("first")]);
    await lose(context, store, 1);
    const append = started(store.messages.appendMessages("orders", 0, [message("second")]));
    await rejects(append, offsetConflict("orders", 0, 1), "an append at a taken offset whose reply is lost");
    equal(await readData(store, "orders"), ["first"], "the stream after it");
  }),
  check(
    { title: "all replies lost: OutcomeUnknownError, then settled", level: "fault", hook: "loseReplies" },
    async (context) => {
      const trials = kinds.map(async ({ kind, write, once }) => {
        const store = await context.store({ settleTimeoutMs });
        await lose(context, store, all);
        const error = await lostWrite(context, store, write(store, "my-commit"), kind);
        equal(error.commitId, "my-commit", `${kind}: the error's commitId`);
        equal(
          await within(8_000, error.settle(), `${kind}: settle ends`),
          true,
          `${kind}: settle, of a write that took effect`,
        );
        await once(store);
        equal(await error.settle(), true, `${kind}: settle, a second time`);
        await write(store, "my-commit");
        await once(store);
      });
      await Promise.all(trials);
    },
  ),
  check(
    {
      title: "a commitId of its own; settle while replies are lost, and on a closed store",
      level: "fault",
      hook: "loseReplies",
    },
    async (context) => {
      const store = await context.store({ settleTimeoutMs });
      await lose(context, store, all);
      const error = await lostWrite(
        context,
        store,
        store.messages.appendMessages("orders", 0, [message(1)]),
        "an append",
      );
      isTrue(
        typeof error.commitId === "string" && error.commitId.length > 0,
        "the error names the commit",
        error.commitId,
      );
      await lose(context, store, all);
      await within(
        8_000,
        rejects(error.settle(), { ...outcomeUnknown, commitId: error.commitId }, "settle while replies are lost"),
        "settle ends",
      );
      await lose(context, store, 0);
      equal(await error.settle(), true, "settle once replies come again");
      equal(await readData(store, "orders"), [1], "the stream: applied once");
      await store.close();
      await rejects(error.settle(), closed, "settle on a closed store");
    },
  ),
);

/** W-5 and W-10: what becomes of a write when its reply, or its process, is lost. */
export const lostReplyClauses: readonly Clause[] = [lostReplies, survivesKillClause];

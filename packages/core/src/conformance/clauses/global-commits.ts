import type { RecordedEnvelope } from "../../contract/envelope.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue } from "../expect.ts";
import { message } from "./fixtures.ts";
import { readOrder } from "./opened.ts";

const needs = { globalOrder: true } as const;

interface Part {
  readonly commit: number;
  readonly size: number;
}

function partOf(message: RecordedEnvelope | undefined): Part {
  return (message?.data ?? { commit: -1, size: 1 }) as Part;
}

/** Each message says which commit it is of, and its place in it: commits must come whole, in order and unmixed. */
function contiguous(order: readonly RecordedEnvelope[], commits: number): void {
  const seen = new Set<unknown>();
  for (let at = 0; at < order.length; ) {
    const { commit, size } = partOf(order[at]);
    isTrue(!seen.has(commit), "a commit's messages are in one place of the order", commit);
    seen.add(commit);
    const wanted = Array.from({ length: size }, (_, index) => ({ commit, size, index }));
    equal(
      order.slice(at, at + size).map(({ data }) => data),
      wanted,
      "the messages of one commit, in the order of its writes",
    );
    at += size;
  }
  equal(seen.size, commits, "how many commits the order has");
}

function part(commit: number, size: number, from: number, count: number) {
  return Array.from({ length: count }, (_, index) => message({ commit, size, index: from + index }));
}

export const wholeCommitsClause = clause(
  "G-5",
  "the messages of one commit are contiguous.",
  check({ title: "batches beside each other", needs }, async (context) => {
    const store = await context.store();
    const commits = Array.from({ length: 30 }, (_, commit) => {
      const size = 1 + (commit % 4);
      return store.messages.appendMessages(`stream-${commit}`, 0, part(commit, size, 0, size));
    });
    await Promise.all(commits);
    contiguous(await readOrder(store), 30);
  }),
  check({ title: "transactions over several streams", needs: { ...needs, transactions: "store" } }, async (context) => {
    const store = await context.store();
    const commits = Array.from({ length: 20 }, (_, commit) =>
      store.transaction(async ({ messages }) => {
        await messages.appendMessages(`one-${commit}`, 0, part(commit, 5, 0, 2));
        await messages.appendMessages(`two-${commit}`, 0, part(commit, 5, 2, 1));
        await messages.appendMessages(`one-${commit}`, 2, part(commit, 5, 3, 2));
      }),
    );
    const singles = Array.from({ length: 10 }, (_, index) =>
      store.messages.appendMessages(`single-${index}`, 0, part(100 + index, 1, 0, 1)),
    );
    await Promise.all([...commits, ...singles]);
    contiguous(await readOrder(store), 30);
  }),
  check(
    { title: "from several stores", needs: { ...needs, transactions: "store" }, level: "process", timeoutMs: 30_000 },
    async (context) => {
      const place = await context.place();
      const stores = [await place.open(), await place.open()];
      const commits = stores.flatMap((store, which) =>
        Array.from({ length: 12 }, (_, index) =>
          store.transaction(async ({ messages }) => {
            const commit = which * 12 + index;
            await messages.appendMessages(`one-${commit}`, 0, part(commit, 3, 0, 2));
            await messages.appendMessages(`two-${commit}`, 0, part(commit, 3, 2, 1));
          }),
        ),
      );
      await Promise.all(commits);
      for (const store of stores) contiguous(await readOrder(store), 24);
    },
  ),
);

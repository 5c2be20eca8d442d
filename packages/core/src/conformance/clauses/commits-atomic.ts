import type { DataStore } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import type { History } from "../history/history.ts";
import { Recorder } from "../history/recorder.ts";
import { transferOne } from "../process/commit-programs.ts";
import { footprint, nextTurn, numbered, readData } from "./fixtures.ts";
import { judgeHistory } from "./judged.ts";

const accounts = ["account a", "account b", "account c"];

/** Puts 100 into each account; gives the history of that. */
async function fund(store: DataStore): Promise<History> {
  const recorder = new Recorder(store, "bank");
  for (const account of accounts) equal(await recorder.upsert(account, 0, 100), { kind: "ok" }, "funding an account");
  return recorder.history;
}

async function balances(store: DataStore): Promise<(number | undefined)[]> {
  const loaded = accounts.map((account) => store.state.load<{ readonly value: number }>(account));
  return (await Promise.all(loaded)).map(({ state }) => state?.value);
}

async function total(store: DataStore): Promise<number> {
  return (await balances(store)).reduce<number>((sum, balance) => sum + (balance ?? 0), 0);
}

/** Three kinds of write to three keys; `late` says where the stream and the last state are believed to be. */
function writeAll(store: DataStore, late: { readonly offset: number; readonly revision: number }): Promise<unknown> {
  return store.transaction(async ({ messages, state }) => {
    await state.upsert("first", 0, "written");
    await messages.appendMessages("orders", late.offset, numbered(0, 2));
    await state.delete("last", late.revision);
  });
}

export const w1 = clause(
  "W-1",
  "a transaction's writes are all there or none.",
  check({ title: "writes to one key" }, async (context) => {
    const store = await context.store();
    await store.transaction(async ({ messages }) => {
      await messages.appendMessages("orders", 0, numbered(0, 2));
      await messages.appendMessages("orders", 2, numbered(2, 1));
    });
    equal(await readData(store, "orders"), [0, 1, 2], "the stream after a transaction of two appends");
    const stale = store.transaction(async ({ messages }) => {
      await messages.appendMessages("orders", 2, numbered(90, 1));
      await messages.appendMessages("orders", 3, numbered(91, 1));
    });
    await rejects(stale, {}, "a transaction whose first append is at a taken offset");
    equal(await readData(store, "orders"), [0, 1, 2], "the stream after a transaction that was refused");
  }),
  check({ title: "writes to several keys", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    await rejects(writeAll(store, { offset: 1, revision: 0 }), {}, "a transaction with an append beyond the end");
    await rejects(writeAll(store, { offset: 0, revision: 1 }), {}, "a transaction whose last write clashes");
    equal(await footprint(store), before, "the store after transactions that were refused");
    equal((await store.state.load("first")).revision, 0, "the revision of the first state after them");
    await writeAll(store, { offset: 0, revision: 0 });
    const found = { first: await store.state.load("first"), last: await store.state.load("last") };
    equal([found.first.state, found.last.revision], ["written", 1], "the states after a transaction that was accepted");
    equal(await readData(store, "orders"), [0, 1], "the stream after it");
  }),
  check({ title: "seen by readers beside the writer", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    let writing = true;
    const write = async () => {
      try {
        for (let revision = 0; revision < 20; revision++) {
          await store.transaction(async ({ state }) => {
            await state.upsert("one", revision, revision);
            await state.upsert("other", revision, revision);
          });
        }
      } finally {
        writing = false;
      }
    };
    const look = async (first: string, second: string) => {
      while (writing) {
        const before = (await store.state.load(first)).revision;
        const after = (await store.state.load(second)).revision;
        isTrue(after >= before, `${second}, read after ${first}, is at least as new`, { before, after });
        await nextTurn();
      }
    };
    await Promise.all([write(), look("one", "other"), look("other", "one")]);
  }),
  check({ title: "transfers keep the sum", needs: { transactions: "store" } }, async (context) => {
    const store = await context.store();
    const funded = await fund(store);
    const ways = [
      ["account a", "account b"],
      ["account b", "account c"],
      ["account c", "account a"],
      ["account a", "account c"],
    ] as const;
    const movers = [...ways, ...ways].map((way, index) => ({ way, recorder: new Recorder(store, `mover ${index}`) }));
    await Promise.all(movers.map(({ way: [from, to], recorder }) => transferOne(recorder, from, to)));
    equal(await total(store), 300, "the sum of the accounts");
    equal(await balances(store), [98, 100, 102], "the accounts after the transfers");
    await judgeHistory(store, funded, ...movers.map(({ recorder }) => recorder.history));
  }),
  check(
    {
      title: "transfers by several processes keep the sum",
      level: "process",
      needs: { transactions: "store" },
      hook: "module",
      timeoutMs: 60_000,
    },
    async (context) => {
      const place = await context.place();
      const store = await place.open();
      const funded = await fund(store);
      const ways = accounts.map((from, index) => ({ from, to: accounts[(index + 1) % accounts.length], count: 10 }));
      const peers = await Promise.all(ways.map((way) => place.spawn("transfer", way)));
      for (const peer of peers) peer.signal();
      const histories = await Promise.all(peers.map((peer) => peer.report<History>()));
      equal(await total(store), 300, "the sum of the accounts");
      const revisions = await Promise.all(accounts.map(async (account) => (await store.state.load(account)).revision));
      equal(revisions, [21, 21, 21], "the revisions: funded once, and written by 20 transfers each");
      await judgeHistory(store, funded, ...histories);
    },
  ),
);

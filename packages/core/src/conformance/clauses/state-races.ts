import type { DurableStateStore } from "../../contract/durable-state-store.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import type { History } from "../history/history.ts";
import { Recorder } from "../history/recorder.ts";
import { addOne } from "../process/commit-programs.ts";
import { revisionConflict } from "./fixtures.ts";
import { judgeHistory } from "./judged.ts";

async function churn(state: DurableStateStore, revisions: number[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const loaded = await state.load("cart");
    const { revision } = await state.upsert("cart", loaded.revision, { round });
    const deleted = await state.delete("cart", revision);
    revisions.push(revision, deleted.revision);
  }
}

async function staleWritersLose(state: DurableStateStore, revisions: number[]): Promise<void> {
  const latest = revisions.at(-1) ?? 0;
  for (const stale of [0, ...revisions.slice(0, -1)]) {
    await rejects(
      state.upsert("cart", stale, "stale"),
      revisionConflict("cart", stale, latest),
      `a writer of revision ${stale}`,
    );
  }
  equal(
    revisions,
    Array.from({ length: revisions.length }, (_, index) => index + 1),
    "the revisions, each taken once",
  );
}

export const s5 = clause(
  "S-5",
  "revisions never repeat, through any number of deletes, so a stale writer never wins.",
  check({ title: "through deletes and new states" }, async (context) => {
    const { state } = await context.store();
    const revisions: number[] = [];
    await churn(state, revisions);
    await staleWritersLose(state, revisions);
  }),
  check({ title: "through a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const revisions: number[] = [];
    for (let opens = 0; opens < 2; opens++) {
      const store = await place.open();
      await churn(store.state, revisions);
      await store.close();
    }
    await staleWritersLose((await place.open()).state, revisions);
  }),
);

export const s6 = clause(
  "S-6",
  "N writers adding 1 with load, upsert and retry end at N times the count.",
  check({ title: "on one store" }, async (context) => {
    const store = await context.store();
    const writers = Array.from({ length: 8 }, (_, index) => new Recorder(store, `writer ${index}`));
    const write = async (writer: Recorder) => {
      for (let done = 0; done < 5; done++) await addOne(writer, "counter");
    };
    await Promise.all(writers.map(write));
    const { revision, state } = await store.state.load<Counter>("counter");
    equal(
      { revision, count: state?.value },
      { revision: 40, count: 40 },
      "the counter, to which 8 writers added 5 times 1",
    );
    await judgeHistory(store, ...writers.map(({ history }) => history));
  }),
  check({ title: "in several processes", level: "process", hook: "module", timeoutMs: 60_000 }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const writers = ["a", "b", "c"];
    const peers = await Promise.all(
      writers.map((writer) => place.spawn("increment", { writer, persistenceId: "counter", count: 15 })),
    );
    for (const peer of peers) peer.signal();
    const histories = await Promise.all(peers.map((peer) => peer.report<History>()));
    const { revision, state } = await store.state.load<Counter>("counter");
    equal(
      { revision, count: state?.value },
      { revision: 45, count: 45 },
      "the counter, to which 3 processes added 15 times 1",
    );
    await judgeHistory(store, ...histories);
  }),
);

/** A counter as recorders write it. */
interface Counter {
  readonly value: number;
}

import { hasGlobalOrder } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { ClauseViolation, equal, isTrue, rejects } from "../expect.ts";
import { message, readData, started } from "./fixtures.ts";
import { opened } from "./opened.ts";

const outcomeUnknown = { name: "OutcomeUnknownError", code: "HOLDFAST_OUTCOME_UNKNOWN" } as const;
const reopen = { name: "InvalidStateError", code: "HOLDFAST_REOPEN" } as const;
const options = { level: "fault", needs: { durable: true }, hook: "failSync" } as const;

/** What was durable before the sync failed, or HOLDFAST_REOPEN; nothing else. */
async function durableOrReopen(read: Promise<unknown>, wanted: unknown, what: string): Promise<void> {
  let got: unknown;
  try {
    got = await read;
  } catch (error) {
    if ((error as { code?: unknown }).code === reopen.code) return;
    throw new ClauseViolation(what, "what was durable before, or HOLDFAST_REOPEN", error);
  }
  equal(got, wanted, what);
}

export const failedSyncClause = clause(
  "L-5",
  "the writes whose fsync failed reject with `OutcomeUnknownError`; after it every write, and every read that would need more than was durable before, is `HOLDFAST_REOPEN` until the store is reopened.",
  check({ title: "every call after the failure", ...options }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, [message(0)]);
    await store.state.upsert("order", 0, 0);
    await context.faults.failSync?.(store);
    await rejects(
      store.messages.appendMessages("orders", 1, [message(1)]),
      outcomeUnknown,
      "an append whose sync fails",
    );
    const writes = [
      () => store.messages.appendMessages("orders", 1, [message(2)]),
      () => store.messages.appendMessages("other", 0, [message(2)]),
      () => store.state.upsert("order", 1, 1),
      () => store.state.delete("order", 1),
      () => store.transaction((tx) => tx.messages.appendMessages("other", 0, [message(3)])),
    ];
    for (const write of writes) await rejects(write(), reopen, "a write after a failed sync");
    await durableOrReopen(store.messages.nextOffset("orders"), 1, "nextOffset after a failed sync");
    await durableOrReopen(readData(store, "orders"), [0], "the stream after a failed sync");
    await durableOrReopen(
      store.state.load("order").then(({ state }) => state),
      0,
      "a state after a failed sync",
    );
    if (hasGlobalOrder(store))
      await durableOrReopen(store.messages.nextGlobalOffset(), 1, "nextGlobalOffset after a failed sync");
  }),
  check({ title: "every write that shared the sync, and settle", ...options }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, [message(0)]);
    await context.faults.failSync?.(store);
    const writes = Array.from({ length: 6 }, (_, index) =>
      started(store.messages.appendMessages(`stream-${index}`, 0, [message(index)])),
    );
    const errors = (await Promise.allSettled(writes)).map((write) =>
      write.status === "rejected" ? write.reason : undefined,
    );
    // One sync may be shared by all of them; those that were not sent before it failed never will be.
    const unknown = errors.filter((error) => error?.code === outcomeUnknown.code);
    isTrue(unknown.length >= 1, "the writes of the failed sync reject with OutcomeUnknownError", errors);
    for (const error of errors) {
      isTrue(
        [outcomeUnknown.code, reopen.code].includes(error?.code),
        "no write is acknowledged after a failed sync",
        error,
      );
    }
    for (const error of unknown) await rejects(error.settle(), reopen, "settle on a store that must be reopened");
  }),
  check({ title: "works again once reopened", ...options }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    await store.messages.appendMessages("orders", 0, [message(0)]);
    const reader = await opened(store, "orders", 1);
    await context.faults.failSync?.(store);
    const second = message(1);
    const append = started(store.messages.appendMessages("orders", 1, [second], { commitId: "second" }));
    await rejects(append, { ...outcomeUnknown, commitId: "second" }, "an append whose sync fails");
    await durableOrReopen(reader.tryNext(), false, "a reader at what was durable before the failed sync");
    await store.close();
    const again = await place.open();
    await again.messages.appendMessages("orders", 1, [second], { commitId: "second" });
    await again.messages.appendMessages("orders", 2, [message(2)]);
    equal(await readData(again, "orders"), [0, 1, 2], "the stream once reopened, the write repeated with its commitId");
    await again.state.upsert("order", 0, 1);
  }),
);

import { getEventListeners } from "node:events";
import type { MessageStream } from "../../contract/message-stream.ts";
import { check, clause } from "../define.ts";
import { ClauseViolation, equal, isTrue, staysPending, throws, within } from "../expect.ts";
import { message, nextTurn, numbered, started } from "./fixtures.ts";
import { closed, eventually, median, microtasks, opened, waysToOpen } from "./opened.ts";

const endingMs = 5_000;

/** The call rejects with exactly this value. */
async function rejectsWith(call: Promise<unknown>, reason: unknown, what: string): Promise<void> {
  const outcome = await within(
    endingMs,
    call.then(
      () => ({ rejected: false, reason: undefined }),
      (got: unknown) => ({ rejected: true, reason: got }),
    ),
    what,
  );
  if (!outcome.rejected) throw new ClauseViolation(what, "rejection with the signal's reason", "it resolved");
  if (!Object.is(outcome.reason, reason)) throw new ClauseViolation(what, reason, outcome.reason);
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

export const abortClause = clause(
  "R-6",
  "aborting `next` rejects with the signal's reason within 50 ms in which the event loop is free, loses no message, leaves the cursor usable and no timer or listener behind.",
  check({ title: "the reason, soon, and usable after", alone: true }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(end);
      const tookMs: number[] = [];
      for (const reason of [
        new Error("enough"),
        "enough",
        { code: 1 },
        undefined,
        ...Array.from({ length: 17 }, () => 0),
      ]) {
        const controller = new AbortController();
        const waiting = started(cursor.next({ signal: controller.signal }));
        await nextTurn();
        const at = performance.now();
        controller.abort(reason);
        await rejectsWith(waiting, controller.signal.reason, `${way}: next after its abort`);
        tookMs.push(performance.now() - at);
      }
      isTrue(
        median(tookMs) <= 50,
        `${way}: the median time from abort to rejection is at most 50 ms`,
        `${median(tookMs)} ms`,
      );
      const waiting = started(cursor.next());
      isTrue(await staysPending(5, waiting), `${way}: next waits again after aborts`);
      await store.messages.appendMessages("orders", end, numbered(end, 1));
      await within(endingMs, waiting, `${way}: next resolves after aborts`);
      equal(cursor.get().data, end, `${way}: the message after aborts`);
    }
  }),
  check({ title: "aborted before the call" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const cursor = await open(0);
      const reason = { why: "before" };
      const signal = AbortSignal.abort(reason);
      await rejectsWith(cursor.next({ signal }), reason, `${way}: next with an aborted signal`);
      await rejectsWith(cursor.tryNext({ signal }), reason, `${way}: tryNext with an aborted signal`);
      equal(await cursor.tryNext(), true, `${way}: tryNext after refused calls`);
      equal(cursor.get().data, 0, `${way}: the first message after refused calls`);
    }
  }),
  check({ title: "no message is lost when a message and an abort race" }, async (context) => {
    const store = await context.store();
    const cursor = await store.messages.followStream("orders", 0);
    const seen: unknown[] = [];
    const rounds = 60;
    for (let offset = 0; offset < rounds; offset++) {
      const controller = new AbortController();
      const waiting = started(cursor.next({ signal: controller.signal }));
      const append = started(store.messages.appendMessages("orders", offset, [message(offset)]));
      if (context.random.integer(2) === 0) await microtasks(context.random.integer(60));
      else await nextTurn();
      controller.abort("raced");
      const [read] = await Promise.allSettled([waiting, append]);
      if (read.status === "fulfilled") seen.push(cursor.get().data);
      else equal(read.reason, "raced", "what a next that lost the race to its abort rejects with");
      await append;
      while (await cursor.tryNext()) seen.push(cursor.get().data);
    }
    equal(
      seen,
      Array.from({ length: rounds }, (_, offset) => offset),
      "the messages seen, each once and in order",
    );
  }),
  check({ title: "an abort disturbs no other reader" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    const [one, other] = [await opened(store, "orders", 1), await opened(store, "orders", 1)];
    const controller = new AbortController();
    const aborted = started(one.next({ signal: controller.signal }));
    const waiting = started(other.next());
    controller.abort("enough");
    await rejectsWith(aborted, "enough", "next after its abort");
    isTrue(await staysPending(5, waiting), "another cursor's next goes on waiting");
    await store.messages.appendMessages("orders", 1, numbered(1, 1));
    await within(endingMs, waiting, "another cursor's next resolves");
  }),
  check({ title: "no timer or listener stays behind", alone: true }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 30));
    const cursor = await opened(store, "orders");
    const before = timers();
    const long = new AbortController();
    for (let offset = 0; offset < 30; offset++) await cursor.next({ signal: long.signal });
    equal(listeners(long.signal), 0, "listeners left on the signal of reads that found their message");
    for (let offset = 30; offset < 40; offset++) {
      const waiting = started(cursor.next({ signal: long.signal }));
      await store.messages.appendMessages("orders", offset, numbered(offset, 1));
      await waiting;
    }
    equal(listeners(long.signal), 0, "listeners left on the signal of reads that waited");
    for (let round = 0; round < 30; round++) {
      const controller = new AbortController();
      const waiting = started(cursor.next({ signal: controller.signal }));
      await nextTurn();
      controller.abort("enough");
      await rejectsWith(waiting, "enough", "next after its abort");
      equal(listeners(controller.signal), 0, "listeners left on the signal of an aborted read");
    }
    await eventually(() => timers() <= before, 2_000);
    isTrue(
      timers() <= before,
      `no more than the ${before} timers that ran before 30 aborted reads`,
      `${timers()} timers`,
    );
  }),
);

/** Every call on a cursor that its life's signal ended. */
async function endedWith(cursor: MessageStream, reason: unknown, way: string): Promise<void> {
  await rejectsWith(cursor.next(), reason, `${way}: next after the abort of the cursor's signal`);
  await rejectsWith(cursor.tryNext(), reason, `${way}: tryNext after the abort of the cursor's signal`);
  const step = started(cursor[Symbol.asyncIterator]().next());
  await rejectsWith(step, reason, `${way}: an iterator's step after the abort of the cursor's signal`);
  for (const call of [() => cursor.get(), () => cursor.offset()]) {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    equal(thrown === reason, true, `${way}: get and offset after the abort throw the signal's reason`);
  }
}

export const lifeSignalClause = clause(
  "R-13",
  "the signal given to `openStream`, `followStream` or `openGlobal` lasts for the cursor's life: its abort rejects pending and later calls and iterations with its reason, and closes the cursor (one closed before stays `HOLDFAST_CLOSED`).",
  check({ title: "aborted while next waits, and while idle" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      for (const wait of [true, false]) {
        const controller = new AbortController();
        const cursor = await open(1, { signal: controller.signal });
        await cursor.next();
        const waiting = wait ? started(cursor.next()) : undefined;
        const reason = new Error("the reader is not wanted any more");
        await nextTurn();
        controller.abort(reason);
        if (waiting !== undefined) await rejectsWith(waiting, reason, `${way}: a pending next`);
        await endedWith(cursor, reason, way);
        await cursor.close();
      }
    }
  }),
  check({ title: "aborted while a loop waits" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const controller = new AbortController();
      const cursor = await open(0, { signal: controller.signal });
      const seen: unknown[] = [];
      const loop = started(
        (async () => {
          for await (const { data } of cursor) {
            seen.push(data);
            if (seen.length === 2) setImmediate(() => controller.abort("enough"));
          }
        })(),
      );
      await rejectsWith(loop, "enough", `${way}: the loop`);
      equal(seen, [0, 1], `${way}: what the loop saw before`);
    }
  }),
  check({ title: "aborted before the call, and after close" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const reason = { why: "before" };
      await rejectsWith(open(0, { signal: AbortSignal.abort(reason) }), reason, `${way} with an aborted signal`);
      const controller = new AbortController();
      const cursor = await open(0, { signal: controller.signal });
      await cursor.close();
      controller.abort(reason);
      await nextTurn();
      const next = cursor.next().catch((error: unknown) => error);
      equal(((await next) as { code?: unknown }).code, closed.code, `${way}: next of a cursor closed before the abort`);
      throws(() => cursor.get(), closed, `${way}: get of a cursor closed before the abort`);
    }
  }),
);

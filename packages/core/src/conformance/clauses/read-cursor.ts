import { check, clause } from "../define.ts";
import { equal, isTrue, rejects, staysPending, throws, within } from "../expect.ts";
import { footprint, message, numbered, started, streamsOf } from "./fixtures.ts";
import { closed, opened, take, waysToOpen } from "./opened.ts";

/** How long a call that must wait is watched, and one that must end is given. */
const waitingMs = 10;
const endingMs = 5_000;

const noMessage = { name: "InvalidStateError", code: "HOLDFAST_NO_MESSAGE" };
const busy = { name: "InvalidStateError", code: "HOLDFAST_BUSY" };

export const openClause = clause(
  "R-1",
  "`openStream` on a stream that does not exist gives undefined and creates nothing; `followStream` gives a cursor and creates nothing.",
  check({ title: "openStream" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("other", 0, numbered(0, 1));
    const before = await footprint(store);
    for (const offset of [0, 1, 1000]) {
      equal(await store.messages.openStream("absent", offset), undefined, `openStream of no stream at ${offset}`);
    }
    equal(await footprint(store), before, "the store after openStream of no stream");
  }),
  check({ title: "followStream" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const cursor = await store.messages.followStream("awaited", 0);
    equal(await cursor.tryNext(), false, "tryNext on a stream that does not exist yet");
    const waiting = started(cursor.next());
    isTrue(await staysPending(waitingMs, waiting), "next waits on a stream that does not exist yet");
    equal(await footprint(store), before, "the store while a stream that does not exist is followed");
    equal(await store.messages.openStream("awaited", 0), undefined, "openStream while the stream is only awaited");
    await store.messages.appendMessages("awaited", 0, [message("first")]);
    await within(endingMs, waiting, "next resolves when the stream comes to exist");
    equal(cursor.get().data, "first", "the first message of a stream that was awaited");
  }),
);

export const nextClause = clause(
  "R-2",
  "`next` waits until a message is there, and advances by one.",
  check({ title: "one by one, then waiting" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 3));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(0);
      for (let offset = 0; offset < end; offset++) {
        await within(endingMs, cursor.next(), `${way}: next, of a message that is there`);
        equal(
          [cursor.offset(), cursor.get().offset, cursor.get().data],
          [offset, offset, offset],
          `${way}: after next`,
        );
      }
      const waiting = started(cursor.next());
      isTrue(await staysPending(waitingMs, waiting), `${way}: next waits at the end`);
      await store.messages.appendMessages("orders", end, numbered(end, 3));
      await within(endingMs, waiting, `${way}: next resolves once a message is there`);
      equal(cursor.get().data, end, `${way}: the message that was waited for`);
      equal(
        (await take(cursor, 2)).map(({ data }) => data),
        [end + 1, end + 2],
        `${way}: the other messages of its batch`,
      );
    }
  }),
  check({ title: "from any offset" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 12));
    for (const [way, open] of waysToOpen(store, "orders")) {
      for (const offset of [0, 1, 5, 11]) {
        const cursor = await open(offset);
        await within(endingMs, cursor.next(), `${way} at ${offset}: next`);
        equal(cursor.get().data, offset, `${way} at ${offset}: its first message`);
      }
    }
  }),
);

export const tryNextClause = clause(
  "R-3",
  "`tryNext` never waits for a message: at the end it gives false and leaves the cursor where it was.",
  check({ title: "at the end, and again once the stream has grown" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(end - 2);
      equal(await cursor.tryNext(), true, `${way}: tryNext before the end`);
      equal(await cursor.tryNext(), true, `${way}: tryNext before the end`);
      for (const time of ["first", "second"]) {
        equal(
          await within(endingMs, cursor.tryNext(), `${way}: tryNext ends`),
          false,
          `${way}: tryNext at the end, ${time} time`,
        );
        equal(
          [cursor.offset(), cursor.get().data],
          [end - 1, end - 1],
          `${way}: where the cursor is after tryNext at the end`,
        );
      }
      await store.messages.appendMessages("orders", end, numbered(end, 1));
      equal(await cursor.tryNext(), true, `${way}: tryNext once the stream has grown`);
      equal(cursor.get().data, end, `${way}: the message that came`);
      equal(await cursor.tryNext(), false, `${way}: tryNext at the new end`);
    }
  }),
);

export const aheadClause = clause(
  "R-4",
  "a cursor opened beyond the end waits until the stream has grown to its offset.",
  check({ title: "beyond the end of a stream" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 2));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(end + 3);
      equal(await cursor.tryNext(), false, `${way}: tryNext beyond the end`);
      const waiting = started(cursor.next());
      await store.messages.appendMessages("orders", end, numbered(end, 1));
      await store.messages.appendMessages("orders", end + 1, numbered(end + 1, 2));
      isTrue(await staysPending(waitingMs, waiting), `${way}: next waits while the stream ends before its offset`);
      await store.messages.appendMessages("orders", end + 3, numbered(end + 3, 2));
      await within(endingMs, waiting, `${way}: next resolves once the stream has grown to its offset`);
      equal([cursor.offset(), cursor.get().data], [end + 3, end + 3], `${way}: the cursor's first message`);
    }
  }),
  check({ title: "far beyond, and grown to by one batch" }, async (context) => {
    const store = await context.store();
    const cursor = await store.messages.followStream("orders", 3);
    const far = await store.messages.followStream("orders", Number.MAX_SAFE_INTEGER);
    const waiting = started(cursor.next());
    await store.messages.appendMessages("orders", 0, numbered(0, 5));
    await within(endingMs, waiting, "next resolves once a batch reaches over its offset");
    equal(cursor.get().data, 3, "the first message of a cursor that a batch reached over");
    equal(await far.tryNext(), false, "tryNext at the largest offset");
  }),
);

export const noMessageClause = clause(
  "R-7",
  "`get` and `offset` before the first message throw `HOLDFAST_NO_MESSAGE`.",
  check({ title: "before the first message" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const cursor = await open(0);
      throws(() => cursor.get(), noMessage, `${way}: get before the first message`);
      throws(() => cursor.offset(), noMessage, `${way}: offset before the first message`);
      await cursor.next();
      equal([cursor.offset(), cursor.get().data], [0, 0], `${way}: after the first message`);
      const ahead = await open(7);
      equal(await ahead.tryNext(), false, `${way}: tryNext beyond the end`);
      throws(() => ahead.get(), noMessage, `${way}: get after a tryNext that found none`);
      throws(() => ahead.offset(), noMessage, `${way}: offset after a tryNext that found none`);
    }
  }),
);

export const pendingClause = clause(
  "R-8",
  "a second `next` or `tryNext` while one is pending: `HOLDFAST_BUSY`.",
  check({ title: "while next waits" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(end);
      const waiting = started(cursor.next());
      await rejects(cursor.next(), busy, `${way}: a second next`);
      await rejects(cursor.tryNext(), busy, `${way}: tryNext while next waits`);
      await rejects(cursor[Symbol.asyncIterator]().next(), busy, `${way}: an iterator's step while next waits`);
      await store.messages.appendMessages("orders", end, numbered(end, 2));
      await within(endingMs, waiting, `${way}: the first next still resolves`);
      equal(cursor.get().data, end, `${way}: the message of the first next`);
      equal(await cursor.tryNext(), true, `${way}: tryNext once nothing is pending`);
      equal(cursor.get().data, end + 1, `${way}: no message was lost to a refused call`);
    }
  }),
  check({ title: "calls at once lose no message and give none twice" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 4));
    const cursor = await opened(store, "orders");
    // A call may be over as it returns: then the next one is not a second.
    const calls = [started(cursor.tryNext()), started(cursor.next()), started(cursor.tryNext())];
    const done = (await Promise.allSettled(calls)).filter((call) => {
      if (call.status === "rejected") equal(call.reason?.code, busy.code, "the error of a call too many");
      return call.status === "fulfilled";
    });
    equal(cursor.offset(), done.length - 1, "the cursor has moved once for each call that was not refused");
  }),
);

export const closeClause = clause(
  "R-9",
  "`close` is idempotent, rejects a pending `next`, and after it every call is `HOLDFAST_CLOSED`.",
  check({ title: "every call after close" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 3));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const cursor = await open(0);
      await cursor.next();
      await Promise.all([cursor.close(), cursor.close()]);
      await cursor.close();
      await cursor[Symbol.asyncDispose]();
      const wrong = { signal: "no signal" as unknown as AbortSignal };
      for (const options of [undefined, { signal: AbortSignal.abort() }, wrong]) {
        await rejects(cursor.next(options), closed, `${way}: next after close`);
        await rejects(cursor.tryNext(options), closed, `${way}: tryNext after close`);
      }
      throws(() => cursor.get(), closed, `${way}: get after close`);
      throws(() => cursor.offset(), closed, `${way}: offset after close`);
      await rejects(cursor[Symbol.asyncIterator]().next(), closed, `${way}: a step of an iterator after close`);
    }
    equal(await streamsOf(store), new Map([["orders", 3]]), "the store after its cursors were closed");
  }),
  check({ title: "a pending next" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages("orders", 0, numbered(0, 1));
    for (const [way, open] of waysToOpen(store, "orders")) {
      const end = await store.messages.nextOffset("orders");
      const cursor = await open(end);
      const other = await open(end);
      const waiting = started(rejects(cursor.next(), closed, `${way}: a next that was pending at close`));
      const undisturbed = started(other.next());
      isTrue(await staysPending(1, undisturbed), `${way}: next waits at the end`);
      await cursor.close();
      await within(endingMs, waiting, `${way}: close rejects a pending next`);
      await store.messages.appendMessages("orders", end, numbered(end, 1));
      await within(endingMs, undisturbed, `${way}: another cursor is not disturbed by the close of one`);
      await other[Symbol.asyncDispose]();
      await rejects(other.tryNext(), closed, `${way}: tryNext after the cursor was disposed of`);
    }
  }),
);

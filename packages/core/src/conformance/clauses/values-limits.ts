import type { DataStore } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import { footprint, invalidArgument, message, numbered } from "./fixtures.ts";

const mebibyte = 1024 * 1024;
const maxValueBytes = 4 * mebibyte;
const maxCommitBytes = 8 * mebibyte;
const maxWrites = 10_000;

/** The size of a message's envelope without its data. */
function envelopeBytes({ data: _, ...rest }: Envelope): number {
  return Buffer.byteLength(JSON.stringify(rest));
}

/** A message of exactly this size, most of it one string. */
function messageOf(bytes: number, fields: Partial<Envelope> = {}): Envelope {
  const frame = message("", fields);
  return { ...frame, data: textOf(bytes - envelopeBytes(frame)) };
}

/** A string whose JSON has exactly this many bytes. */
function textOf(bytes: number): string {
  return "x".repeat(bytes - 2);
}

async function refusesMessage(store: DataStore, envelope: Envelope, what: string): Promise<void> {
  await rejects(store.messages.appendMessages("big", 0, [envelope]), invalidArgument, what);
  equal(await store.messages.nextOffset("big"), 0, "the next offset after a message that was refused");
}

export const limitsClause = clause(
  "V-5",
  "the size of a value is the UTF-8 length of its JSON, or its byteLength; of a message, that of `data` and of the envelope without it; of a commit, the sum. A message or a state is at most 4 MiB, a commit at most 8 MiB and 10,000 messages and state writes together; more is an `InvalidArgumentError` on every backend.",
  check({ title: "a message", timeoutMs: 60_000 }, async (context) => {
    const store = await context.store();
    const metadata = { note: "é".repeat(100) };
    await refusesMessage(store, messageOf(maxValueBytes + 1, { metadata }), "a message of one byte more than 4 MiB");
    await store.messages.appendMessages("big", 0, [messageOf(maxValueBytes, { metadata })]);
    equal(await store.messages.nextOffset("big"), 1, "the next offset after a message of 4 MiB");
  }),
  check({ title: "a message of bytes, and one of wide characters", timeoutMs: 60_000 }, async (context) => {
    const store = await context.store();
    const frame = message(undefined);
    const room = maxValueBytes - envelopeBytes(frame);
    await refusesMessage(store, { ...frame, data: new Uint8Array(room + 1) }, "a message of one byte more than 4 MiB");
    await refusesMessage(store, { ...frame, data: "é".repeat(maxValueBytes / 2) }, "a message of over 4 MiB in UTF-8");
    await refusesMessage(
      store,
      { ...frame, data: "\u0000".repeat(maxValueBytes / 6) },
      "a message of over 4 MiB of JSON",
    );
    await store.messages.appendMessages("big", 0, [{ ...frame, data: new Uint8Array(room) }]);
  }),
  check({ title: "a state", timeoutMs: 60_000 }, async (context) => {
    const { state } = await context.store();
    await rejects(
      state.upsert("big", 0, textOf(maxValueBytes + 1)),
      invalidArgument,
      "a state of one byte more than 4 MiB",
    );
    equal((await state.load("big")).revision, 0, "the revision after a state that was refused");
    await state.upsert("big", 0, textOf(maxValueBytes));
  }),
  check({ title: "a commit's bytes", timeoutMs: 60_000 }, async (context) => {
    const store = await context.store();
    const third = messageOf(3 * mebibyte);
    const write = (last: Envelope) =>
      store.transaction(async ({ messages }) => {
        await messages.appendMessages("big", 0, [third]);
        await messages.appendMessages("big", 1, [third, last]);
      });
    await rejects(
      write(messageOf(maxCommitBytes - 6 * mebibyte + 1)),
      invalidArgument,
      "a transaction of one byte more than 8 MiB",
    );
    equal(await store.messages.nextOffset("big"), 0, "the next offset after commits that were refused");
    await write(messageOf(maxCommitBytes - 6 * mebibyte));
    equal(await store.messages.nextOffset("big"), 3, "the next offset after a commit of 8 MiB");
  }),
  check({ title: "a commit's messages", timeoutMs: 60_000 }, async (context) => {
    const { messages } = await context.store();
    const batch = numbered(0, maxWrites);
    await rejects(
      messages.appendMessages("many", 0, [...batch, message(0)]),
      invalidArgument,
      "an append of 10,001 messages",
    );
    await messages.appendMessages("many", 0, batch);
    equal(await messages.nextOffset("many"), maxWrites, "the next offset after 10,000 messages");
  }),
  check(
    { title: "messages and state writes together", needs: { transactions: "store" }, timeoutMs: 60_000 },
    async (context) => {
      const store = await context.store();
      const before = await footprint(store);
      const write = (count: number) =>
        store.transaction(async ({ messages, state }) => {
          await state.upsert("one", 0, 1);
          await state.delete("other", 0);
          await messages.appendMessages("many", 0, numbered(0, count));
        });
      await rejects(write(maxWrites - 1), invalidArgument, "a transaction of 10,001 messages and state writes");
      equal(await footprint(store), before, "the store after a transaction that was refused");
      await write(maxWrites - 2);
    },
  ),
);

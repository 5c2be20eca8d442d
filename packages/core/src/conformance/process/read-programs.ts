import { hasGlobalOrder } from "../../contract/data-store.ts";
import type { Envelope, RecordedEnvelope } from "../../contract/envelope.ts";
import type { Programs, World } from "./program.ts";

/** One append of one message: when it was called and acknowledged, by the machine's monotonic clock, and the message's id. */
export interface TimedAppend {
  readonly id: string;
  readonly stream: string;
  readonly offset: number;
  readonly called: bigint;
  readonly acknowledged: bigint;
}

function envelope(data: unknown): Envelope {
  return { id: crypto.randomUUID(), type: "Tested", data, createdAt: new Date().toISOString() };
}

/** At each signal appends one message to the stream's end; reports when it was acknowledged. */
async function appendWhenTold({ store, input, report, signalled }: World): Promise<void> {
  const { stream } = input as { readonly stream: string };
  for (;;) {
    await signalled();
    const offset = await store.messages.nextOffset(stream);
    await store.messages.appendMessages(stream, offset, [envelope(offset)]);
    await report(process.hrtime.bigint());
  }
}

/** Appends `count` messages one by one, to the end of a stream that nobody else writes; reports their times. */
async function appendMany({ store, input, report, signalled }: World): Promise<void> {
  const { stream, count } = input as { readonly stream: string; readonly count: number };
  await signalled();
  const done: TimedAppend[] = [];
  for (let offset = 0; offset < count; offset++) {
    const one = envelope(offset);
    const called = process.hrtime.bigint();
    await store.messages.appendMessages(stream, offset, [one]);
    done.push({ id: one.id, stream, offset, called, acknowledged: process.hrtime.bigint() });
  }
  await report(done);
}

/** Reports every message of a stream, and the state of the same name. */
async function readBack({ store, input, report }: World): Promise<void> {
  const { stream } = input as { readonly stream: string };
  const messages: RecordedEnvelope[] = [];
  const cursor = await store.messages.followStream(stream, 0);
  while (await cursor.tryNext()) messages.push(cursor.get());
  await report({ messages, state: (await store.state.load(stream)).state });
}

/** Follows the whole store from its beginning; reports the ids of the first `count` messages. */
async function followOrder({ store, input, report }: World): Promise<void> {
  const { count } = input as { readonly count: number };
  if (!hasGlobalOrder(store)) throw new Error("the store keeps no global order");
  const cursor = await store.messages.openGlobal(0);
  const ids: string[] = [];
  while (ids.length < count) {
    await cursor.next();
    ids.push(cursor.get().id);
  }
  await report(ids);
}

export const readPrograms: Programs = { appendWhenTold, appendMany, readBack, followOrder };

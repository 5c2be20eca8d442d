import type { MessageStream } from "@holdfast/core";
import type { GlobalMessage } from "@holdfast/core/conformance";
import type { Store } from "./backends.ts";
import { type Journal, nowNs } from "./journal.ts";
import { tokenOf } from "./message.ts";
import { load } from "./writer.ts";

/** So many of the messages that are there already are read again. */
const LOOK_BACK = 20;
const BATCH = 50;

/** Follows the whole store and one stream, loads a state now and then, and writes down what it was given. Never ends. */
export async function read(store: Store, journal: Journal, heard: () => void): Promise<void> {
  await Promise.all([followAll(store, journal, heard), followStream(store, journal, "shared-0")]);
}

async function followAll(store: Store, journal: Journal, heard: () => void): Promise<void> {
  const called = nowNs();
  const nextGlobalOffset = await store.messages.nextGlobalOffset();
  journal.given(called, { kind: "nextGlobalOffset", nextGlobalOffset });
  const cursor = await store.messages.openGlobal(Math.max(0, nextGlobalOffset - LOOK_BACK));
  for (let turn = 0; ; turn++) {
    const since = nowNs();
    const messages = await batch(cursor, () => globalMessage(cursor));
    const from = messages[0]?.globalOffset ?? 0;
    journal.given(since, { kind: "readGlobal", from, messages, end: false });
    heard();
    if (turn % 4 === 0) await load(store, journal, `shared-${turn % 8 === 0 ? 0 : 1}`);
  }
}

async function followStream(store: Store, journal: Journal, stream: string): Promise<void> {
  const nextOffset = await store.messages.nextOffset(stream);
  const cursor = await store.messages.followStream(stream, Math.max(0, nextOffset - LOOK_BACK));
  for (;;) {
    const since = nowNs();
    const messages = await batch(cursor, () => ({ offset: cursor.offset(), token: tokenOf(cursor.get().data) }));
    const tokens = messages.map((each) => each.token);
    journal.given(since, { kind: "readStream", stream, from: messages[0]?.offset ?? 0, tokens, end: false });
  }
}

/** The next message, and those that are there at once. */
async function batch<T>(cursor: MessageStream, current: () => T): Promise<T[]> {
  await cursor.next();
  const taken = [current()];
  while (taken.length < BATCH && (await cursor.tryNext())) taken.push(current());
  return taken;
}

/** The current message of a cursor over the whole store. */
export function globalMessage(cursor: MessageStream): GlobalMessage {
  const { stream, offset, globalOffset, data } = cursor.get();
  return { globalOffset: globalOffset ?? -1, stream, offset, token: tokenOf(data) };
}

import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { Envelope, RecordedEnvelope } from "../../contract/envelope.ts";
import type { GloballyOrderedMessageStore } from "../../contract/message-store.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import type { ReadOptions } from "../../contract/options.ts";
import { ClauseViolation } from "../expect.ts";

/** The error of a store or cursor that is closed. */
export const closed = { name: "InvalidStateError", code: "HOLDFAST_CLOSED" } as const;

/** The messages of a store whose capabilities say that they are globally ordered. */
export function ordered(store: DataStore): GloballyOrderedMessageStore {
  if (hasGlobalOrder(store)) return store.messages;
  throw new ClauseViolation("hasGlobalOrder", true, false);
}

/** A cursor on a stream that exists. */
export async function opened(
  store: DataStore,
  stream: string,
  offset = 0,
  options?: ReadOptions,
): Promise<MessageStream> {
  const cursor = await store.messages.openStream(stream, offset, options);
  if (cursor === undefined) throw new ClauseViolation(`openStream of a stream that exists`, "a cursor", undefined);
  return cursor;
}

/** Every way to get a cursor that gives the messages of `stream`, the only one in the store, by name. */
export function waysToOpen(
  store: DataStore,
  stream: string,
): readonly (readonly [string, (offset: number, options?: ReadOptions) => Promise<MessageStream>])[] {
  const ways: [string, (offset: number, options?: ReadOptions) => Promise<MessageStream>][] = [
    ["openStream", (offset, options) => opened(store, stream, offset, options)],
    ["followStream", (offset, options) => store.messages.followStream(stream, offset, options)],
  ];
  if (hasGlobalOrder(store)) ways.push(["openGlobal", (offset, options) => store.messages.openGlobal(offset, options)]);
  return ways;
}

/** The next `count` messages. */
export async function take(cursor: MessageStream, count: number): Promise<RecordedEnvelope[]> {
  const taken: RecordedEnvelope[] = [];
  while (taken.length < count) {
    await cursor.next();
    taken.push(cursor.get());
  }
  return taken;
}

/** Every message to the end of the whole store. */
export async function readOrder(store: DataStore, offset = 0): Promise<RecordedEnvelope[]> {
  const cursor = await ordered(store).openGlobal(offset);
  const found: RecordedEnvelope[] = [];
  while (await cursor.tryNext()) found.push(cursor.get());
  await cursor.close();
  return found;
}

/** The envelope without the properties that are undefined: absent and undefined mean the same. */
export function present(envelope: Envelope): Record<string, unknown> {
  return Object.fromEntries(Object.entries(envelope).filter(([, value]) => value !== undefined));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Lets `count` turns of the microtask queue pass: to start something at one of many moments of another call. */
export async function microtasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined;
}

/** Waits, turn by turn of the event loop, until `holds`; false if it does not within `ms` milliseconds. */
export async function eventually(holds: () => boolean, ms: number): Promise<boolean> {
  const limit = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > limit) return false;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  return true;
}

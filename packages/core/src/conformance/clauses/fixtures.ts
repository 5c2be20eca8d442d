import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { Envelope, RecordedEnvelope } from "../../contract/envelope.ts";

let made = 0;

/** A message of its own id around `data`. */
export function message(data: unknown, fields: Partial<Envelope> = {}): Envelope {
  made += 1;
  return { id: `message-${made}`, type: "Tested", data, createdAt: "2024-02-29T12:00:00Z", ...fields };
}

/** `count` messages whose data are `from`, `from` + 1, ... */
export function numbered(from: number, count: number): Envelope[] {
  return Array.from({ length: count }, (_, index) => message(from + index));
}

/** Every message of the stream from `offset` to the end; none where there is no such stream. */
export async function readAll(store: DataStore, stream: string, offset = 0): Promise<RecordedEnvelope[]> {
  const cursor = await store.messages.openStream(stream, offset);
  if (cursor === undefined) return [];
  const found: RecordedEnvelope[] = [];
  while (await cursor.tryNext()) found.push(cursor.get());
  await cursor.close();
  return found;
}

/** The data of every message of the stream, in order. */
export async function readData(store: DataStore, stream: string): Promise<unknown[]> {
  return (await readAll(store, stream)).map((found) => found.data);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The streams, with their next offsets. */
export async function streamsOf(store: DataStore): Promise<Map<string, number>> {
  const listed = await collect(store.messages.listStreams());
  return new Map(listed.map(({ stream, nextOffset }) => [stream, nextOffset]));
}

/** All that a write could change of what can be listed: to be compared before and after. */
export async function footprint(store: DataStore): Promise<unknown> {
  const streams = [...(await streamsOf(store))].sort();
  const ids = (await collect(store.state.listPersistenceIds())).sort();
  return { streams, ids, end: hasGlobalOrder(store) ? await store.messages.nextGlobalOffset() : undefined };
}

export function offsetConflict(stream: string, offset: number, nextOffset: number): Record<string, unknown> {
  return { name: "OffsetConflictError", code: "HOLDFAST_OFFSET_CONFLICT", stream, offset, nextOffset };
}

export function revisionConflict(
  persistenceId: string,
  expectedRevision: number,
  actualRevision: number,
): Record<string, unknown> {
  const code = "HOLDFAST_REVISION_CONFLICT";
  return { name: "RevisionConflictError", code, persistenceId, expectedRevision, actualRevision };
}

export const invalidArgument = { name: "InvalidArgumentError", code: "HOLDFAST_INVALID_ARGUMENT" } as const;

/** Lets what is ready to run, run: every pending microtask and one turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A promise that is settled from outside. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A call that is awaited only later: should the check fail before that, its rejection is not left unhandled. */
export function started<T>(call: Promise<T>): Promise<T> {
  call.catch(() => {});
  return call;
}

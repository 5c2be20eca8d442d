import type { DataStore } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import type { Programs, World } from "./program.ts";

/** What `winAppends` reports: the offsets that the writer was told are its own. */
export interface WonAppends {
  readonly writer: string;
  readonly offsets: readonly number[];
}

/** What `hammer` reports: how its appends ended, by code ("ok" where they took effect), and the messages acknowledged. */
export interface Hammered {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly acknowledged: number;
}

/** Races for the next offset of a stream until it has won `wins` of them. */
async function winAppends({ store, input, report, signalled }: World): Promise<void> {
  const { stream, writer, wins } = input as { readonly stream: string; readonly writer: string; readonly wins: number };
  await signalled();
  const offsets: number[] = [];
  let offset = 0;
  for (let tries = 0; offsets.length < wins; tries++) {
    if (tries === wins * maxTries) throw new Error(`writer ${writer} won ${offsets.length} of ${tries} races`);
    try {
      await store.messages.appendMessages(stream, offset, [envelope(writer)]);
      offsets.push(offset);
      offset += 1;
    } catch (error) {
      if (codeOf(error) !== "HOLDFAST_OFFSET_CONFLICT") throw error;
      offset = await store.messages.nextOffset(stream);
    }
  }
  await report({ writer, offsets });
}

/** Adds 1 to a counter `count` times, trying again after every lost race. */
async function increment({ store, input, report, signalled }: World): Promise<void> {
  const { persistenceId, count } = input as { readonly persistenceId: string; readonly count: number };
  await signalled();
  for (let done = 0; done < count; done++) await addOne(store, persistenceId);
  await report(count);
}

/** So many races are lost only to a store that refuses everything: it must fail, not hang. */
const maxTries = 5_000;

/** Loads, adds 1, and writes; again after every lost race. */
export async function addOne(store: DataStore, persistenceId: string): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    const { revision, state } = await store.state.load<number>(persistenceId);
    try {
      await store.state.upsert(persistenceId, revision, (state ?? 0) + 1);
      return;
    } catch (error) {
      if (codeOf(error) !== "HOLDFAST_REVISION_CONFLICT") throw error;
    }
  }
  throw new Error(`a writer lost ${maxTries} races in a row`);
}

/** Moves 1 from one account to another, `count` times, each in one transaction; again after every lost race. */
async function transfer({ store, input, report, signalled }: World): Promise<void> {
  const { from, to, count } = input as { readonly from: string; readonly to: string; readonly count: number };
  await signalled();
  for (let done = 0; done < count; done++) await transferOne(store, from, to);
  await report(count);
}

export async function transferOne(store: DataStore, from: string, to: string): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    try {
      return await store.transaction(async ({ state }) => {
        const giver = await state.load<number>(from);
        const taker = await state.load<number>(to);
        await state.upsert(from, giver.revision, (giver.state ?? 0) - 1);
        await state.upsert(to, taker.revision, (taker.state ?? 0) + 1);
      });
    } catch (error) {
      if (codeOf(error) !== "HOLDFAST_REVISION_CONFLICT") throw error;
    }
  }
  throw new Error(`a transaction lost ${maxTries} races in a row`);
}

/** Appends to a stream of its own, one at a time, `count` times, whatever becomes of them. */
async function hammer({ store, input, report, signalled }: World): Promise<void> {
  const { stream, count } = input as { readonly stream: string; readonly count: number };
  await signalled();
  await report(await hammerStream(store, stream, count));
}

export async function hammerStream(store: DataStore, stream: string, count: number): Promise<Hammered> {
  const outcomes: Record<string, number> = {};
  let acknowledged = 0;
  for (let call = 0; call < count; call++) {
    let outcome = "ok";
    try {
      await store.messages.appendMessages(stream, acknowledged, [envelope(acknowledged)]);
      acknowledged += 1;
    } catch (error) {
      outcome = codeOf(error);
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { outcomes, acknowledged };
}

function envelope(data: unknown): Envelope {
  return { id: crypto.randomUUID(), type: "Tested", data, createdAt: new Date().toISOString() };
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | null)?.code);
}

export const commitPrograms: Programs = { winAppends, increment, transfer, hammer };

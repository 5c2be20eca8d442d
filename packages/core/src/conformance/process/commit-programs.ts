import type { DataStore } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import type { History, Outcome } from "../history/history.ts";
import { Recorder } from "../history/recorder.ts";
import type { Programs, World } from "./program.ts";

/** What `winAppends` reports: the offsets that the writer was told are its own. */
export interface WonAppends {
  readonly writer: string;
  readonly offsets: readonly number[];
  readonly history: History;
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
  const recorder = new Recorder(store, writer);
  const offsets: number[] = [];
  let offset = 0;
  for (let tries = 0; offsets.length < wins; tries++) {
    if (tries === wins * maxTries) throw new Error(`writer ${writer} won ${offsets.length} of ${tries} races`);
    const outcome = await recorder.append(stream, offset);
    if (isWon(outcome)) offsets.push(offset++);
    else offset = await recorder.nextOffset(stream);
  }
  await report({ writer, offsets, history: recorder.history });
}

/** Adds 1 to a counter `count` times, trying again after every lost race. Reports its history. */
async function increment({ store, input, report, signalled }: World): Promise<void> {
  const { writer, persistenceId, count } = input as {
    readonly writer: string;
    readonly persistenceId: string;
    readonly count: number;
  };
  await signalled();
  const recorder = new Recorder(store, writer);
  for (let done = 0; done < count; done++) await addOne(recorder, persistenceId);
  await report(recorder.history);
}

/** So many races are lost only to a store that refuses everything: it must fail, not hang. */
const maxTries = 5_000;

/** Loads, adds 1, and writes; again after every lost race. */
export async function addOne(recorder: Recorder, persistenceId: string): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    const { revision, value } = await recorder.load(persistenceId);
    if (isWon(await recorder.upsert(persistenceId, revision, numberIn(value) + 1))) return;
  }
  throw new Error(`a writer lost ${maxTries} races in a row`);
}

/** Moves 1 from one account to another, `count` times, each in one transaction; again after every lost race. Reports its history. */
async function transfer({ store, input, report, signalled }: World): Promise<void> {
  const { from, to, count } = input as { readonly from: string; readonly to: string; readonly count: number };
  await signalled();
  const recorder = new Recorder(store, `from ${from}`);
  for (let done = 0; done < count; done++) await transferOne(recorder, from, to);
  await report(recorder.history);
}

export async function transferOne(recorder: Recorder, from: string, to: string): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    const outcome = await recorder.transact(async (tx) => {
      const giver = await tx.load(from);
      const taker = await tx.load(to);
      await tx.upsert(from, giver.revision, numberIn(giver.value) - 1);
      await tx.upsert(to, taker.revision, numberIn(taker.value) + 1);
    });
    if (isWon(outcome)) return;
  }
  throw new Error(`a transaction lost ${maxTries} races in a row`);
}

/** Whether the race was won; nothing but a conflict may come of one that was lost. */
function isWon(outcome: Outcome): boolean {
  if (outcome.kind === "ok" || outcome.kind === "conflict") return outcome.kind === "ok";
  throw new Error(`a write that raced came to: ${outcome.kind}`);
}

function numberIn(value: unknown): number {
  return typeof value === "number" ? value : 0;
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

import type { DataStore } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import type { Programs, World } from "./program.ts";

/** One acknowledged write: "stream:name" with its next offset, or "state:id" with its revision. */
export interface Acknowledged {
  readonly place: string;
  readonly position: number;
}

/** All appends of these programs are of this many messages, so that a torn one shows. */
export const batchSize = 3;

function batch(stream: string, offset: number): Envelope[] {
  return Array.from({ length: batchSize }, (_, index) => ({
    id: crypto.randomUUID(),
    type: "Tested",
    data: `${stream} ${offset + index}`,
    createdAt: new Date().toISOString(),
  }));
}

/** Goes on from where the place is, for ever: appends, states and transactions side by side, each told once acknowledged. */
async function writeAndTell(world: World): Promise<void> {
  const { transactions } = world.input as { readonly transactions: "store" | "key" };
  const writers = [appendForever(world, "left"), appendForever(world, "right"), upsertForever(world, "counter")];
  if (transactions === "store") writers.push(commitForever(world, "both"));
  await Promise.all(writers);
}

async function appendForever({ store, report }: World, stream: string): Promise<void> {
  for (let offset = await store.messages.nextOffset(stream); ; offset += batchSize) {
    await store.messages.appendMessages(stream, offset, batch(stream, offset));
    await report({ place: `stream:${stream}`, position: offset + batchSize } satisfies Acknowledged);
  }
}

async function upsertForever({ store, report }: World, id: string): Promise<void> {
  let { revision } = await store.state.load(id);
  for (;;) {
    revision += 1;
    await store.state.upsert(id, revision - 1, { revision });
    await report({ place: `state:${id}`, position: revision } satisfies Acknowledged);
  }
}

/** A stream and a state, always moved on together. */
async function commitForever({ store, report }: World, name: string): Promise<void> {
  for (;;) {
    const { offset, revision } = await commitOnce(store, name);
    await report({ place: `stream:${name}`, position: offset } satisfies Acknowledged);
    await report({ place: `state:${name}`, position: revision } satisfies Acknowledged);
  }
}

function commitOnce(store: DataStore, name: string): Promise<{ readonly offset: number; readonly revision: number }> {
  return store.transaction(async (tx) => {
    const offset = await tx.messages.nextOffset(name);
    const { revision } = await tx.state.load(name);
    await tx.messages.appendMessages(name, offset, batch(name, offset));
    await tx.state.upsert(name, revision, { revision: revision + 1 });
    return { offset: offset + batchSize, revision: revision + 1 };
  });
}

export const killPrograms: Programs = { writeAndTell };

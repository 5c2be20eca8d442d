import { FilesystemDataStore, RevisionConflictError } from "@holdfast/filesystem";
import type { Job, Taken } from "./jobs.ts";

/** Follows the jobs until the last one, and does those that it gets first. Gives how many that were. */
async function work(directory: string, name: string, jobs: number): Promise<number> {
  await using store = await FilesystemDataStore.open({ directory });
  const messages = await store.messages.followStream("jobs", 0);
  let done = 0;
  for await (const { data } of messages) {
    const { number, factorial } = data as Job;
    if (await take(store, name, number, factorial)) done += 1;
    if (number === jobs) break;
  }
  return done;
}

/** Of all who try, one gets the job: a state that was never written has revision 0, and only one can write revision 1. */
async function take(store: FilesystemDataStore, by: string, number: number, factorial: number): Promise<boolean> {
  const id = `job/${number}`;
  if ((await store.state.load(id)).revision > 0) return false;
  const taken: Taken = { by, result: String(product(factorial)) };
  try {
    await store.state.upsert(id, 0, taken);
    return true;
  } catch (error) {
    if (error instanceof RevisionConflictError) return false;
    throw error;
  }
}

function product(upTo: number): bigint {
  let result = 1n;
  for (let factor = 2n; factor <= BigInt(upTo); factor++) result *= factor;
  return result;
}

// The demo runs it as a process of its own.
const [, , directory = "", name = "", jobs] = process.argv;
console.log(`${name} did ${await work(directory, name, Number(jobs))} jobs`);

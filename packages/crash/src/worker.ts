import { flushCompileCache } from "node:module";
import { Numbers } from "@holdfast/test-kit";
import { backendNamed } from "./backends.ts";
import { Journal } from "./journal.ts";
import { read } from "./reader.ts";
import type { Task } from "./worker-process.ts";
import { Writer } from "./writer.ts";

/** The program of a writing or reading process: what to do comes as its one argument, and it goes on until it is killed. */
process.on("disconnect", () => process.exit(1));
const task = JSON.parse(process.argv[2] ?? "") as Task;
const journal = new Journal(task.journal);
const store = await backendNamed(task.backend).open(task.folder);
tell("opened");
// Whoever is killed would leave nothing for the next.
flushCompileCache();
if (task.role === "reader") await read(store, journal, firstTime("done"));
else await write();

async function write(): Promise<void> {
  const writer = new Writer(store, journal, { ...task, numbers: new Numbers(task.seed) });
  const done = firstTime("done");
  let asked = false;
  process.on("message", () => {
    asked = true;
  });
  const lane = async (number: number) => {
    for (let turn = 0; turn < (task.turns ?? Number.POSITIVE_INFINITY); turn++) {
      const isAsked = asked;
      await writer.turn(number);
      done();
      if (!isAsked) continue;
      asked = false;
      tell("goes on");
    }
  };
  await Promise.all(Array.from({ length: task.lanes }, (_, number) => lane(number)));
  await store.close();
  journal.close();
  tell("ended");
  process.disconnect();
}

function firstTime(event: string): () => void {
  let isTold = false;
  return () => {
    if (!isTold) tell(event);
    isTold = true;
  };
}

function tell(event: string): void {
  process.send?.({ event, storeId: store.id });
}

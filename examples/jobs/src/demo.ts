import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";
import type { Taken } from "./jobs.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const NAMES = ["ada", "grace", "edsger"];

/** Three workers wait for jobs; then the jobs come; then it is counted who did what. */
export async function demo(directory: string, jobs: number, print: (line: string) => void): Promise<void> {
  await using store = await FilesystemDataStore.open({ directory });
  const workers = NAMES.map((name) => {
    const args = [...FLAGS, WORKER, directory, name, String(jobs)];
    const worker = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    worker.stdout.on("data", (text) => print(String(text).trim()));
    return once(worker, "close");
  });
  for (let number = 1; number <= jobs; number++) {
    const job = createEnvelope({ type: "JobAdded", data: { number, factorial: number % 50 } });
    await store.messages.appendMessages("jobs", number - 1, [job]);
  }
  await Promise.all(workers);
  const doneBy = new Map<string, number>();
  for await (const id of store.state.listPersistenceIds({ prefix: "job/" })) {
    const { state, revision } = await store.state.load<Taken>(id);
    if (state === undefined || revision !== 1) throw new Error(`${id} was done twice`);
    doneBy.set(state.by, (doneBy.get(state.by) ?? 0) + 1);
  }
  const sum = [...doneBy.values()].reduce((total, count) => total + count, 0);
  print(`${sum} of ${jobs} jobs done, each once, by ${[...doneBy.keys()].sort().join(", ")}`);
  print(`read them: tail -n 5 ${join(directory, "log")}/*.jsonl`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await demo(join(await mkdtemp(join(tmpdir(), "jobs-")), "store"), 200, console.log);

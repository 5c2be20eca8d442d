import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WorkerAnswer, WorkerTask } from "./store-worker.ts";

const QUIET = "--disable-warning=ExperimentalWarning";

/** Several processes that have one filesystem store open. */
export class Workers {
  readonly #processes: readonly ChildProcess[];

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes;
  }

  static async open(place: string, count: number, { slowSyncs }: { readonly slowSyncs: boolean }): Promise<Workers> {
    const slow = slowSyncs ? ["--import", new URL("./slow-syncs.ts", import.meta.url).href] : [];
    const processes = Array.from({ length: count }, (_, worker) =>
      fork(fileURLToPath(new URL("./store-worker.ts", import.meta.url)), [place, `worker-${worker}`], {
        execArgv: [...slow, QUIET],
      }),
    );
    await Promise.all(processes.map((process) => once(process, "message")));
    return new Workers(processes);
  }

  /** The first `count` of them append at once, for so long. */
  async run(count: number, runMs: number): Promise<readonly WorkerAnswer[]> {
    const task: WorkerTask = { runMs };
    return Promise.all(
      this.#processes.slice(0, count).map(async (process) => {
        process.send(task);
        const [answer] = (await once(process, "message")) as [WorkerAnswer];
        return answer;
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map((process) => {
        const gone = once(process, "exit");
        process.disconnect();
        return gone;
      }),
    );
  }
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a worker is to do. */
export interface Task {
  readonly role: "writer" | "reader";
  readonly backend: string;
  /** The store is in it. */
  readonly folder: string;
  /** The file of its journal, on a disk that is not cut. */
  readonly journal: string;
  /** Its own streams and states begin with it. */
  readonly name: string;
  /** Told apart in tokens from the other lives of the same name. */
  readonly life: string;
  readonly seed: number;
  /** How many commits a writer has under way at once. */
  readonly lanes: number;
  readonly maxFiller: number;
  /** So many commits in each lane, then it closes its store; until it is killed, unless given. */
  readonly turns?: number;
}

/** "opened": its store; "done": its first commit or read; "goes on": a commit that began after it was asked; "ended": all its turns. */
export type Event = "opened" | "done" | "goes on" | "ended";

/** Node keeps what it made of the sources there: most of a start is saved. */
const COMPILED = fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url));
const PROGRAM = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** A process that writes or reads, perhaps under another program (strace). */
export class WorkerProcess {
  readonly task: Task;
  readonly #process: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #heard = new Map<Event, number>();
  readonly #storeIds = new Set<string>();
  #errors = "";
  #isGone = false;
  #wake: (() => void)[] = [];

  constructor(task: Task, under: readonly string[] = []) {
    this.task = task;
    const [execPath = process.execPath, ...before] = [...under, process.execPath];
    this.#process = fork(PROGRAM, [JSON.stringify(task)], {
      execPath,
      execArgv: [...before, "--experimental-strip-types", "--disable-warning=ExperimentalWarning"],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: COMPILED,
        // With one thread a system call's number means the same in each run.
        ...(under.length > 0 && { UV_THREADPOOL_SIZE: "1" }),
      },
      // A group of its own: a kill takes strace and what it traces.
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (text) => {
      this.#errors += String(text);
    });
    this.#process.on("message", ({ event, storeId }: { readonly event: Event; readonly storeId: string }) => {
      this.#heard.set(event, (this.#heard.get(event) ?? 0) + 1);
      this.#storeIds.add(storeId);
      this.#rouse();
    });
    this.#gone = once(this.#process, "close").then(() => {
      this.#isGone = true;
      this.#rouse();
    });
  }

  /** The ids of the stores that it said it opened. */
  get storeIds(): ReadonlySet<string> {
    return this.#storeIds;
  }

  has(event: Event): boolean {
    return this.#heard.has(event);
  }

  /** Rejects where the process ends without. */
  async hears(event: Event): Promise<void> {
    while (!this.#heard.has(event)) {
      if (this.#isGone) throw new Error(`${this.task.life}.${this.task.name} ended before "${event}": ${this.#errors}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Resolves when a commit that began after this call was acknowledged. */
  async goesOn(): Promise<void> {
    this.#heard.delete("goes on");
    this.#process.send("go on");
    await this.hears("goes on");
  }

  async kill(): Promise<void> {
    this.signal();
    await this.#gone;
  }

  /** Kills without waiting for the end. */
  signal(): void {
    if (this.#process.pid === undefined || this.#isGone) return;
    try {
      process.kill(-this.#process.pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }

  /** Resolves when it has ended, with what is wrong about that: it was neither killed nor done. */
  async ended(): Promise<string | undefined> {
    await this.#gone;
    if (this.#heard.has("ended") || this.wasKilled) return undefined;
    return `${this.task.life}.${this.task.name} ended by itself: ${this.#errors}`;
  }

  get wasKilled(): boolean {
    return this.#process.signalCode === "SIGKILL";
  }

  #rouse(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

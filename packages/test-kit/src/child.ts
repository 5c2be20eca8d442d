import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Another process that runs a program. What it sends is received in order. */
export class Child {
  readonly process: ChildProcess;
  readonly #received: unknown[] = [];
  readonly #gone: Promise<void>;
  #wake: (() => void) | undefined;
  #ended = false;

  /** `under` is what the process is started by, such as strace with its arguments. */
  constructor(program: URL, args: readonly string[], under: readonly string[] = []) {
    const [execPath, ...before] = [...under, process.execPath];
    this.process = fork(fileURLToPath(program), args, {
      execPath: execPath ?? process.execPath,
      execArgv: [...before, "--disable-warning=ExperimentalWarning"],
      serialization: "advanced",
    });
    this.process.on("message", (message) => {
      this.#received.push(message);
      this.#wake?.();
    });
    this.#gone = once(this.process, "close").then(() => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** The next thing it sends; undefined if it ends without. */
  async next<T>(): Promise<T | undefined> {
    while (this.#received.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#received.shift() as T | undefined;
  }

  /** All that it sends until it ends. */
  async rest<T>(): Promise<readonly T[]> {
    await this.#gone;
    return this.#received.splice(0) as T[];
  }

  tell(message: string): void {
    this.process.send(message);
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#gone;
  }

  /** Resolves with its exit code. */
  async ended(): Promise<number | null> {
    await this.#gone;
    return this.process.exitCode;
  }
}

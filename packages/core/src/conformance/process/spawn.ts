import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Hook, Peer } from "../clause.ts";

/** The check needs what the harness does not supply: it is left out, with the reason. */
export class HookMissing extends Error {
  readonly hook: Hook;

  constructor(hook: Hook) {
    super(`the harness has no ${hook}`);
    this.hook = hook;
  }
}

/** What a child sends: that it is open, or one report. */
export type FromPeer = { readonly ready: true } | { readonly report: unknown };

/** What a child is sent. */
export interface ToPeer {
  readonly signal: unknown;
}

/** Starts a process that opens `place` with the harness of `module` and runs a program; resolves once it is open. */
export async function spawnPeer(
  module: string | undefined,
  place: string,
  program: string,
  input: unknown,
): Promise<Peer> {
  if (module === undefined) throw new HookMissing("module");
  const here = import.meta.url;
  const worker = fileURLToPath(new URL(here.endsWith(".ts") ? "./worker.ts" : "./worker.js", here));
  const stripTypes = (module.endsWith(".ts") || worker.endsWith(".ts")) && !process.features.typescript;
  const child = fork(worker, [module, place, program, JSON.stringify(input ?? null)], {
    execArgv: stripTypes ? ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"] : [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const peer = new ChildPeer(child, program);
  await peer.ready();
  return peer;
}

/** The parent's end of a child process: its reports in order, and how it ended. */
class ChildPeer implements Peer {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #received: FromPeer[] = [];
  readonly #gone: Promise<void>;
  #waiting: (() => void) | undefined;
  #stderr = "";
  #isGone = false;

  constructor(child: ChildProcess, program: string) {
    this.#child = child;
    this.#program = program;
    child.on("message", (message) => {
      this.#received.push(message as FromPeer);
      this.#waiting?.();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    // A signal to a child that has just ended fails here too; how it ended is told by "close".
    child.on("error", () => {});
    this.#gone = new Promise((resolve) => {
      child.on("close", () => {
        this.#isGone = true;
        this.#waiting?.();
        resolve();
      });
    });
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  async report<T>(): Promise<T> {
    const message = await this.#next();
    if (!("report" in message)) throw new Error(`${this.#program} said that it is ready a second time`);
    return message.report as T;
  }

  signal(value?: unknown): void {
    const message: ToPeer = { signal: value };
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  async ended(): Promise<void> {
    await this.#gone;
    if (this.#child.exitCode !== 0) throw this.#failure("failed");
  }

  async #next(): Promise<FromPeer> {
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      if (this.#isGone) throw this.#failure("ended without a report");
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  #failure(what: string): Error {
    const how = this.#child.signalCode ?? `exit code ${this.#child.exitCode}`;
    return new Error(`the process of program ${this.#program} ${what} (${how})\n${this.#stderr.trim()}`);
  }
}

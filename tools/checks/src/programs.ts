import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "./workspace.ts";

export interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Give the output whatever the exit code is, instead of rejecting. */
  readonly mayFail?: boolean;
  /** After so long it is killed. Sooner than the test that waits for it gives up, so that nothing is left running. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Rejects with all that it printed if it fails. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...ownEnvironment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 110_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const status = code ?? 1;
      if (status === 0 || options.mayFail) return resolve({ status, stdout, stderr });
      const how = `${command} ${args.join(" ")} ended with ${signal ?? status} in ${options.cwd}`;
      reject(new Error(`${how}\n${stdout}\n${stderr}`));
    });
  });
}

/** pnpm as it runs us, or else the one that package.json names. */
export function pnpm(args: readonly string[], options: RunOptions): Promise<Output> {
  return isInPath("pnpm") ? run("pnpm", args, options) : run("npx", ["--yes", "pnpm@12", ...args], options);
}

/** A tool of this workspace, by the name of its executable. */
export function tool(name: string, args: readonly string[], options: RunOptions): Promise<Output> {
  const own = join(root, "tools/checks/node_modules/.bin", name);
  return run(existsSync(own) ? own : join(root, "node_modules/.bin", name), args, options);
}

function isInPath(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Set by the package manager and the test runner for the program they started, which is us, and misleading for others. */
const foreign =
  /^(npm_(package|lifecycle|execpath|node_execpath|command|config_(local_prefix|allow_scripts|user_agent))|pnpm_config_|PNPM_(SCRIPT|PACKAGE)|VITEST|TEST$|NODE_OPTIONS$|NODE_ENV$|FORCE_COLOR$|INIT_CWD$)/;

/** What other programs get. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  // What we start runs on the Node that runs us.
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(kept), NO_COLOR: "1", PATH: path };
}

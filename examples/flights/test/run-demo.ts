import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DEMO = fileURLToPath(new URL("../src/demo.ts", import.meta.url));
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

export interface Ended {
  /** null: ended by `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs the demo in a process of its own; `onLine` may end it, told how many lines of progress it has seen. */
export async function runDemo(
  args: readonly string[],
  onProgress: (lines: number, demo: ChildProcess) => void = () => {},
): Promise<Ended> {
  const demo = spawn(process.execPath, [...FLAGS, DEMO, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  let progress = 0;
  createInterface(demo.stderr).on("line", (line) => output.push(line));
  createInterface(demo.stdout).on("line", (line) => {
    output.push(line);
    if (/imported, .* counted of/.test(line)) onProgress(++progress, demo);
  });
  const [code, signal] = (await once(demo, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, output: output.join("\n") };
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { skipLoudly } from "@holdfast/test-kit";
import type { Cut, CutPlan, CutSum } from "./power-cuts.ts";
import { withScratch } from "./scratch.ts";

/** What the process inside sends. */
export type Word = { readonly cut: Cut } | { readonly sum: CutSum } | "ready";

const INSIDE = fileURLToPath(new URL("./inside.ts", import.meta.url));
/** Mounts that nobody else sees. They go with the processes, and these with the first of them, whatever happens. */
const APART = [
  "--mount",
  "--propagation=private",
  "--pid",
  "--fork",
  "--kill-child=SIGKILL",
  "--mount-proc",
  process.execPath,
  "--experimental-strip-types",
  "--disable-warning=ExperimentalWarning",
];

/** Whether a disk's power can be cut here; else says loudly why not, and with CI=true throws. */
export async function canCutPower(): Promise<boolean> {
  try {
    await withScratch("probe", (scratch) => converse(scratch, () => undefined));
    return true;
  } catch (error) {
    const why = "no power is cut: that needs Linux, root, loop devices, unshare, mkfs.ext4 and perl";
    return skipLoudly(`${why} (${(error as Error).message.trim()})`);
  }
}

/** Cuts the power in a mount namespace of its own. */
export async function cutPowerApart(plan: CutPlan, report: (cut: Cut) => void): Promise<CutSum> {
  let sum: CutSum | undefined;
  await converse(JSON.stringify(plan), (word) => {
    if (word === "ready") return;
    if ("cut" in word) report(word.cut);
    else sum = word.sum;
  });
  if (sum === undefined) throw new Error("the cuts ended without their sum");
  return sum;
}

/** Rejects with what the process wrote if it fails. */
async function converse(argument: string, hear: (word: Word) => void): Promise<void> {
  const inside: ChildProcess = fork(INSIDE, [argument], {
    execPath: "unshare",
    execArgv: APART,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  inside.stderr?.on("data", (text) => {
    errors += String(text);
  });
  inside.on("message", (word) => hear(word as Word));
  const [code] = (await once(inside, "close")) as [number | null];
  if (code !== 0) throw new Error(errors || `ended with ${code}`);
}

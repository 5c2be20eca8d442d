import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Holdfast } from "./holdfast.ts";
import { type Contender, compare, median } from "./measure.ts";
import { RawLog } from "./raw-log.ts";
import { format, type Goal, printFigure, printFigures } from "./report.ts";
import type { WorkerAnswer } from "./store-worker.ts";
import { benchWaking } from "./waking.ts";
import { Workers } from "./workers.ts";

const ROUNDS = 9;
const APPENDERS = 64;
const OTHERS = 3;
const WRITERS = 4;
const WARM_UP = 1_000;
/** For 64 appenders: so many times the loop by hand, or so many messages a second. */
const TOGETHER_RATIO = 18;
const TOGETHER_RATE = 60_000;
const RUN_MS = 2_000;
const RACE_ROUNDS = 5;
const RAW = "by hand: write + fdatasync";
const OURS = "Holdfast";

/** Files beside a loop of `write` and an awaited `fdatasync` in the same folder. */
export async function benchFilesystem(folder: string): Promise<void> {
  await benchLone(join(folder, "lone"), 0);
  await benchLone(join(folder, "lone-beside-others"), OTHERS);
  await benchTogether(join(folder, "together"));
  await benchWriters(join(folder, "slow-syncs"), true);
  await benchWriters(join(folder, "bare-disk"), false);
  await benchWaking(folder, "filesystem", { foreignP50Ms: 3, foreignP99Ms: 40 });
}

async function benchLone(place: string, others: number): Promise<void> {
  const { ours, raw, close } = await openBoth(place);
  const workers = await Workers.open(place, others, { slowSyncs: false });
  const contenders = [
    { name: RAW, run: (count: number) => raw.appendEach(count) },
    { name: OURS, run: (count: number) => ours.appendEach(count, APPENDERS) },
  ];
  const result = await compare(place, contenders, { rounds: ROUNDS, count: 400 });
  const beside = others === 0 ? "" : `, while ${others} other processes have the store open`;
  printFigures(`lone appends, one message each${beside}`, result, {
    unit: "messages/s",
    to: RAW,
    goals: { [OURS]: 0.8 },
  });
  await workers.close();
  await close();
}

async function benchTogether(place: string): Promise<void> {
  const { ours, raw, close } = await openBoth(place);
  const contenders: readonly Contender[] = [
    { name: RAW, run: (count) => raw.appendEach(count) },
    { name: OURS, run: (count) => ours.appendConcurrently(count, APPENDERS) },
  ];
  const result = await compare(place, contenders, { rounds: ROUNDS, count: APPENDERS * 200 });
  printFigures(`${APPENDERS} appenders in one process`, result, { unit: "messages/s", to: RAW, goals: {} });
  const [rawFigure, oursFigure] = result.figures;
  if (rawFigure === undefined || oursFigure === undefined) throw new Error("a figure is missing");
  const goal = Math.min(TOGETHER_RATIO * median(rawFigure.rates), TOGETHER_RATE);
  printFigure(
    `the lesser of ${TOGETHER_RATIO}x and ${format(TOGETHER_RATE)}/s`,
    median(oursFigure.rates),
    "messages/s",
    {
      atLeast: goal,
    },
  );
  await close();
}

/** Four processes, each with one caller, beside one of them alone. */
async function benchWriters(place: string, slowSyncs: boolean): Promise<void> {
  mkdirSync(place);
  const workers = await Workers.open(place, WRITERS, { slowSyncs });
  const ratios: number[] = [];
  const fairness: number[] = [];
  let longestMs = 0;
  let [alone, together] = [0, 0];
  for (let round = -1; round < RACE_ROUNDS; round++) {
    alone = total(await workers.run(1, RUN_MS));
    const answers = await workers.run(WRITERS, RUN_MS);
    together = total(answers);
    if (round < 0) continue;
    const commits = answers.map((answer) => answer.commits);
    ratios.push(together / alone);
    fairness.push(Math.min(...commits) / Math.max(...commits));
    longestMs = Math.max(longestMs, ...answers.map((answer) => answer.longestMs));
  }
  await workers.close();
  console.log(
    `\n${WRITERS} processes, ${slowSyncs ? "each sync 1 to 2 ms longer" : "on the bare disk (reported only)"}`,
  );
  const goal = (goals: Goal) => (slowSyncs ? goals : {});
  console.log(
    `  the last round: ${format((alone * 1000) / RUN_MS)}/s alone, ${format((together * 1000) / RUN_MS)}/s together`,
  );
  printFigure("commits, beside one process alone", median(ratios), "x", goal({ atLeast: 2 }));
  printFigure("fairness: fewest / most, worst round", Math.min(...fairness), "", goal({ atLeast: 0.5 }));
  printFigure("longest time without a commit", longestMs, "ms", goal({ below: 1_000 }));
}

function total(answers: readonly WorkerAnswer[]): number {
  return answers.reduce((sum, { commits }) => sum + commits, 0);
}

async function openBoth(place: string) {
  mkdirSync(place);
  const [ours, raw] = [await Holdfast.open("filesystem", place), new RawLog(place)];
  await ours.appendEach(WARM_UP, APPENDERS);
  const close = async () => {
    raw.close();
    await ours.close();
  };
  return { ours, raw, close };
}

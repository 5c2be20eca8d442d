import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Bare, Fair } from "./baselines.ts";
import { Holdfast } from "./holdfast.ts";
import { type Contender, compare } from "./measure.ts";
import { printFigures } from "./report.ts";

const ROUNDS = 7;
const STREAMS = 64;
const WARM_UP = 20_000;
const OURS = "Holdfast";
const FAIR = "by hand, same promises";
const BARE = "by hand, bare INSERT";

/** Without syncs: so that the engine has compiled what is measured, ours and by hand alike. */
async function warmUp(folder: string): Promise<void> {
  const place = join(folder, "warm-up");
  mkdirSync(place);
  const [fair, ours] = [new Fair(place), await Holdfast.open("sqlite", place, "process")];
  fair.syncNothing();
  fair.appendEach(WARM_UP, STREAMS);
  await ours.appendEach(WARM_UP, STREAMS);
  fair.close();
  await ours.close();
}

export async function benchAppending(folder: string): Promise<void> {
  await warmUp(folder);
  const bench = async (
    title: string,
    goal: number,
    count: number,
    make: (bare: Bare, fair: Fair, ours: Holdfast) => readonly [Contender["run"], Contender["run"], Contender["run"]],
  ) => {
    const place = join(folder, title.replaceAll(/\W+/g, "-"));
    mkdirSync(place);
    const [bare, fair, ours] = [new Bare(place), new Fair(place), await Holdfast.open("sqlite", place)];
    const [runBare, runFair, runOurs] = make(bare, fair, ours);
    const contenders = [
      { name: BARE, run: runBare },
      { name: FAIR, run: runFair },
      { name: OURS, run: runOurs },
    ];
    const result = await compare(place, contenders, { rounds: ROUNDS, count });
    printFigures(title, result, { unit: "messages/s", to: FAIR, goals: { [OURS]: goal } });
    bare.close();
    fair.close();
    await ours.close();
  };

  await bench("lone appends, one message each", 0.8, 400, (bare, fair, ours) => [
    (count) => bare.appendEach(count),
    (count) => fair.appendEach(count, STREAMS),
    (count) => ours.appendEach(count, STREAMS),
  ]);
  await bench("64 concurrent appenders; by hand: transactions of 64", 0.9, STREAMS * 200, (bare, fair, ours) => [
    (count) => bare.appendInTransactions(count, STREAMS),
    (count) => fair.appendGroups(count, STREAMS),
    (count) => ours.appendConcurrently(count, STREAMS),
  ]);
  await bench("appends of 100 messages", 0.9, 20_000, (bare, fair, ours) => [
    (count) => bare.appendInTransactions(count, 100),
    (count) => fair.appendBatches(count, 100, STREAMS),
    (count) => ours.appendBatches(count, 100, STREAMS),
  ]);
}

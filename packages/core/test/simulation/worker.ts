import "./boot.ts";

/**
 * Runs seeds, one after the other, and tells of each in a line of JSON:
 * `worker.ts KIND FROM COUNT STRIDE OPERATIONS [trace]`. KIND "both": the log and slots in turn.
 */
const [kind = "both", from = "0", count = "1", stride = "1", operations = "200", trace] = process.argv.slice(2);
const { simulate } = await import("./run.ts");
const { simulateFairness } = await import("./fairness.ts");

const tell = trace === undefined ? undefined : (line: string) => process.stdout.write(`${line}\n`);
// Where an error comes from is told by a replay.
if (tell === undefined) Error.stackTraceLimit = 0;
for (let index = 0; index < Number(count); index += 1) {
  const seed = Number(from) + index * Number(stride);
  const log = kind === "log" || (kind === "both" && Math.floor(seed / 2) % 2 === 0);
  const outcome =
    kind === "fairness"
      ? await simulateFairness(seed, tell)
      : await simulate(seed, kind === "echoes" ? kind : log ? "log" : "slots", Number(operations), tell);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

/** Runs one task over the workspace, for the root scripts: `task.ts build | test | demo [turbo's own arguments]`, `task.ts bench [parts of it]`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectedReports, sumOf, total } from "../src/reports.ts";
import { root } from "../src/workspace.ts";

const [task = "build", ...rest] = process.argv.slice(2);
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" };
// In CI nothing may come out of a cache, builds included.
const force = process.env.CI === undefined ? [] : ["--force"];

// One task at a time needs no prefix to tell its lines.
const plainLogs = ["--log-order=stream", "--log-prefix=none"];

switch (task) {
  case "test":
    process.exitCode = test();
    break;
  case "demo":
    process.exitCode = demo();
    break;
  case "bench":
    process.exitCode = turbo("run", task, "--concurrency=1", ...plainLogs, ...force, "--", ...rest);
    break;
  default:
    process.exitCode = turbo("run", task, ...force, ...rest);
}

function turbo(...args: string[]): number {
  return run("turbo", ["--ui=stream", ...args]);
}

/** Runs a program with our own input and output; gives its exit code. */
function run(command: string, args: readonly string[]): number {
  const child = spawnSync(command, args, { cwd: root, env, stdio: "inherit", shell: process.platform === "win32" });
  if (child.error) throw child.error;
  return child.status ?? 1;
}

/** One package's tests at a time: some of them measure time, and the machine may be small. */
function test(): number {
  const plan = planned();
  for (const directory of ["", ...plan.map((each) => each.directory)]) {
    rmSync(join(root, directory, "reports"), { recursive: true, force: true });
  }
  const started = performance.now();
  const status = turbo(
    "run",
    "test",
    "--concurrency=1",
    "--continue=dependencies-successful",
    ...plainLogs,
    ...force,
    ...rest,
  );
  const sums = plan.map(({ package: name, directory, command }) =>
    sumOf(name, join(root, directory), expectedReports(command)),
  );
  const sum = total(sums);
  // A command that failed beside its tests (a type error, a crash) is a failure too, and must not hide behind its sums.
  if (status !== 0 && sum.failed === 0) sum.failed = 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`\nTests took ${seconds} s${status === 0 ? "" : `, and turbo ended with ${status}`}.`);
  for (const each of sums) {
    const problems = each.problems.map((problem) => `\n    ${problem}`).join("");
    console.log(`  ${each.name}: ${each.passed} passed, ${each.failed} failed, ${each.skipped} skipped${problems}`);
  }
  const line = `${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`;
  mkdirSync(join(root, "reports"), { recursive: true });
  writeFileSync(join(root, "reports/sum.txt"), `${line}\n`);
  console.log(`\n${line}`);
  return sum.failed > 0 ? 1 : status;
}

interface Planned {
  readonly package: string;
  readonly directory: string;
  readonly command: string;
}

/** The packages whose tests this run covers, as turbo sees them. */
function planned(): readonly Planned[] {
  const dry = spawnSync("turbo", ["run", "test", "--dry=json", ...rest], {
    cwd: root,
    env,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
  });
  if (dry.status !== 0) throw new Error(`turbo could not plan the tests:\n${dry.stdout}\n${dry.stderr}`);
  const { tasks } = JSON.parse(dry.stdout) as { tasks: readonly (Planned & { task: string })[] };
  return tasks.filter((each) => each.task === "test" && each.command !== "<NONEXISTENT>");
}

/** Run by pnpm itself, not by turbo, so that the demo has the terminal for its progress. */
function demo(): number {
  // Ctrl-C is the demo's to answer: it goes on to a safe point, and we wait for it.
  process.on("SIGINT", () => {});
  const built = turbo("run", "build", "--filter=flights^...", "--output-logs=errors-only");
  return built === 0 ? run("pnpm", ["--filter", "flights", "demo", ...rest]) : built;
}

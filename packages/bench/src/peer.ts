import { execFileSync, fork } from "node:child_process";
import { on } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Holdfast } from "./holdfast.ts";
import { CACHE } from "./machine.ts";
import { compare } from "./measure.ts";
import type { PeerTask } from "./peer-process.ts";
import { printFigures } from "./report.ts";

/** Newest first; the first that installs is taken. */
const VERSIONS = ["0.42.4", "0.38.5"];
const INSTALL_TIMEOUT_MS = 300_000;
const ROUNDS = 5;

/** emmett-sqlite, the nearest peer, through its own public API: WAL, as it sets it, and synchronous as its driver has it. */
export async function benchPeer(folder: string): Promise<void> {
  const peer = install();
  if (typeof peer === "string") {
    console.log(`\nbeside emmett-sqlite: not measured, ${peer}`);
    return;
  }
  const place = join(folder, "peer");
  mkdirSync(place);
  const child = fork(
    fileURLToPath(new URL("./peer-process.ts", import.meta.url)),
    [peer.home, join(place, "emmett.db")],
    {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    },
  );
  const answers = on(child, "message");
  const next = async () => (await answers.next()).value?.[0] as Record<string, number | undefined>;
  const { synchronous } = await next();
  const name = `emmett-sqlite ${peer.version}`;
  const ours = await Holdfast.open("sqlite", place);
  const bench = async (title: string, work: PeerTask["work"], count: number, run: (count: number) => Promise<void>) => {
    let [appends, failures] = [0, 0];
    const theirs = async (units: number) => {
      child.send({ work, count: units } satisfies PeerTask);
      failures += (await next())["failures"] ?? 0;
      appends += units;
    };
    const contenders = [
      { name, run: theirs },
      { name: "Holdfast", run },
    ];
    const result = await compare(place, contenders, { rounds: ROUNDS, count });
    printFigures(title, result, { unit: "messages/s", to: name, goals: {} });
    console.log(
      `  ${name}: WAL, synchronous = ${synchronous === 2 ? "FULL" : String(synchronous)}; ${failures} of its ${appends} appends failed and were repeated`,
    );
  };
  await bench("lone appends, beside the nearest peer", "lone", 150, (count) => ours.appendEach(count, 64));
  await bench("64 appends at once, beside the nearest peer", "together", 64, (count) =>
    ours.appendConcurrently(count, count),
  );
  child.kill();
  await ours.close();
}

/** In a cache outside the workspace, since its driver compiles: there, or why not. */
function install(): { readonly home: string; readonly version: string } | string {
  let reason = "";
  for (const version of VERSIONS) {
    const home = join(CACHE, `emmett-sqlite-${version}`);
    const manifest = join(home, "package.json");
    try {
      if (!existsSync(join(home, "installed"))) {
        rmSync(home, { recursive: true, force: true });
        mkdirSync(home, { recursive: true });
        writeFileSync(manifest, JSON.stringify({ name: "holdfast-bench-peer", private: true }));
        console.log(`\ninstalling emmett-sqlite ${version} and compiling its driver into ${home} (once)`);
        const peers = [`@event-driven-io/emmett-sqlite@${version}`, `@event-driven-io/emmett@${version}`];
        execFileSync("npm", ["install", "--no-audit", "--no-fund", ...peers], {
          cwd: home,
          env: {
            ...process.env,
            ...headers(),
            PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
          },
          stdio: ["ignore", "ignore", "pipe"],
          timeout: INSTALL_TIMEOUT_MS,
        });
        writeFileSync(join(home, "installed"), "");
      }
      createRequire(manifest)("@event-driven-io/emmett-sqlite");
      return { home, version };
    } catch (error) {
      reason = `it could not be installed (it needs a C++ compiler, make and Python): ${String(error).split("\n", 1)[0]}`;
    }
  }
  return reason;
}

/** node-gyp's headers, from the package that Node itself comes in. */
function headers(): Record<string, string> {
  const root = new URL("../../../package.json", import.meta.url);
  try {
    return { npm_config_nodedir: dirname(createRequire(root).resolve(`node-linux-${process.arch}/package.json`)) };
  } catch {
    return {};
  }
}

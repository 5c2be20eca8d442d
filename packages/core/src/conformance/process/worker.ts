import type { Harness } from "../harness.ts";
import { programs } from "./programs.ts";
import type { FromPeer, ToPeer } from "./spawn.ts";

/** The main module of a child process: opens a place with the harness and runs one program on it. */
async function main(): Promise<void> {
  const [module = "", place = "", name = "", input = "null"] = process.argv.slice(2);
  const signals: unknown[] = [];
  let wake: (() => void) | undefined;
  process.on("message", (message: ToPeer) => {
    signals.push(message.signal);
    wake?.();
  });
  const signalled = async (): Promise<unknown> => {
    while (signals.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return signals.shift();
  };

  const program = programs[name];
  if (program === undefined) throw new Error(`there is no program ${name}`);
  const { default: harness } = (await import(module)) as { readonly default: Harness };
  const store = await harness.open(place);
  await send({ ready: true });
  await program({ store, input: JSON.parse(input), report: (report) => send({ report }), signalled });
  await store.close();
}

function send(message: FromPeer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

// A parent that died leaves nobody to judge this process: it must not outlive it.
process.on("disconnect", () => process.exit(1));
await main();
process.disconnect();
process.exitCode = 0;
process.exit();

import { inspect } from "node:util";
import type { Harness } from "../harness.ts";
import { runHistory } from "./history.ts";
import { anyOperation, type Operation } from "./operation.ts";
import { World } from "./world.ts";

/** How many operations a history has. */
const length = 60;

/** Random histories, run on a backend and on a model of plain Maps and arrays side by side. */
export interface ModelTest {
  readonly title: string;
  readonly timeoutMs: number;
  /** Rejects with the seed and the shortest history found on which the backend differs from the model. */
  run(seed: number, histories?: number): Promise<void>;
}

export function modelTest(harness: Harness): ModelTest {
  return {
    title: `random histories of ${length} operations against a model`,
    timeoutMs: 180_000,
    run: (seed, histories = historiesFromEnvironment()) => run(harness, seed, histories),
  };
}

/** HOLDFAST_HISTORIES, or 300. */
function historiesFromEnvironment(): number {
  const given = Number(process.env["HOLDFAST_HISTORIES"] ?? Number.NaN);
  return Number.isSafeInteger(given) && given > 0 ? given : 300;
}

async function run(harness: Harness, seed: number, histories: number): Promise<void> {
  const fc = await loadFastCheck();
  let world: World | undefined;
  const property = fc.asyncProperty(
    fc.array(anyOperation(fc, harness.capabilities.durable), { minLength: length, maxLength: length }),
    async (operations) => {
      world ??= await World.create(harness);
      const current = world;
      try {
        await runHistory(current, operations);
      } catch (error) {
        // A store that differed once may differ in other histories for that reason alone: shrink on new ones.
        world = undefined;
        await current.destroy().catch(() => {});
        throw error;
      }
    },
  );
  const details = await fc.check(property, { seed, numRuns: histories });
  await world?.destroy();
  if (!details.failed) return;
  throw failure(harness, seed, details.counterexample?.[0] ?? [], details.errorInstance);
}

async function loadFastCheck(): Promise<typeof import("fast-check")> {
  try {
    return await import("fast-check");
  } catch (cause) {
    throw new Error("the random histories need the package fast-check: install it as a development dependency", {
      cause,
    });
  }
}

function failure(harness: Harness, seed: number, operations: readonly Operation[], cause: unknown): Error {
  const steps = operations
    .filter((operation) => operation.kind !== "nothing")
    .map(
      (operation, index) =>
        `  ${index + 1}. ${inspect(operation, { depth: 8, breakLength: Number.POSITIVE_INFINITY })}`,
    );
  const message = [
    `${harness.name} differs from the model after this history (HOLDFAST_SEED=${seed} replays it):`,
    ...steps,
    cause instanceof Error ? cause.message : String(cause),
  ].join("\n");
  return new Error(message, { cause });
}

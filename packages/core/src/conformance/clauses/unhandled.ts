import { nextTurn } from "./fixtures.ts";

/** What of our errors goes unhandled while `body` runs; what is not ours goes to whoever listened before. */
export async function unhandled(body: () => Promise<void>): Promise<unknown[]> {
  const event = "unhandledRejection";
  const listeners = process.listeners(event);
  const found: unknown[] = [];
  process.removeAllListeners(event);
  process.on(event, (reason: unknown, promise: Promise<unknown>) => {
    if (String((reason as { readonly code?: unknown } | null)?.code).startsWith("HOLDFAST_")) found.push(reason);
    else for (const listener of listeners) listener(reason, promise);
  });
  try {
    await body();
    // They are reported once the microtasks of a turn have run.
    await nextTurn();
    await nextTurn();
  } finally {
    process.removeAllListeners(event);
    for (const listener of listeners) process.on(event, listener);
  }
  return found;
}

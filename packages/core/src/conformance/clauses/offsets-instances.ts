import { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import type { Context } from "../clause.ts";

/** Several instances on one store. */
export async function instances(
  context: Context,
): Promise<[DurableStateOffsetStore, DurableStateOffsetStore, DurableStateOffsetStore]> {
  const { state } = await context.store();
  return [new DurableStateOffsetStore(state), new DurableStateOffsetStore(state), new DurableStateOffsetStore(state)];
}

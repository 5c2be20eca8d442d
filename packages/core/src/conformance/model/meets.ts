import { ClauseViolation, rejects, within } from "../expect.ts";
import type { Expected } from "./model.ts";

/** The call ends as the model says; gives its value where it is acknowledged. */
export async function meets<T>(call: Promise<T>, expected: Expected, what: string): Promise<T | undefined> {
  if (expected !== undefined) {
    await within(10_000, rejects(call, expected, what), what);
    return undefined;
  }
  try {
    return await within(10_000, call, what);
  } catch (error) {
    throw error instanceof ClauseViolation ? error : new ClauseViolation(what, "it is acknowledged", error);
  }
}

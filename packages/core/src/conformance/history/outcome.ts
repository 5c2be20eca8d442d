import type { OffsetConflictError, OutcomeUnknownError, RevisionConflictError } from "../../contract/errors.ts";
import { clashesWithItself } from "./commits.ts";
import type { HistoryWrite, Outcome } from "./history.ts";

/** What a call that writes came to. What is no outcome of the contract is thrown. */
export async function outcomeOf(call: Promise<unknown>, writes: readonly HistoryWrite[]): Promise<Outcome> {
  try {
    await call;
    return { kind: "ok" };
  } catch (error) {
    if (isUnknown(error)) return settled(error);
    if (isUnavailable(error)) return { kind: "notWritten" };
    if (!isConflict(error)) throw error;
    return clashesWithItself(writes) ? { kind: "notWritten" } : conflict(error, writes);
  }
}

/** The backend could not be reached. */
export function isUnavailable(error: unknown): boolean {
  return codeOf(error) === "HOLDFAST_UNAVAILABLE";
}

function conflict(error: OffsetConflictError | RevisionConflictError, writes: readonly HistoryWrite[]): Outcome {
  if (error.code === "HOLDFAST_OFFSET_CONFLICT") {
    const write = writes.findIndex((one) => one.kind === "append" && one.stream === error.stream);
    return { kind: "conflict", write, actual: error.nextOffset };
  }
  const write = writes.findIndex((one) => one.kind !== "append" && one.persistenceId === error.persistenceId);
  return { kind: "conflict", write, actual: error.actualRevision };
}

/** Asks once more; whether that too leaves it open, only later reads tell. */
async function settled(error: OutcomeUnknownError): Promise<Outcome> {
  try {
    return { kind: (await error.settle()) ? "ok" : "notWritten" };
  } catch (again) {
    if (codeOf(again) === undefined) throw again;
    return { kind: "unknown" };
  }
}

// By their codes: the store may be built on another copy of these classes.

function isUnknown(error: unknown): error is OutcomeUnknownError {
  return codeOf(error) === "HOLDFAST_OUTCOME_UNKNOWN";
}

function isConflict(error: unknown): error is OffsetConflictError | RevisionConflictError {
  return codeOf(error) === "HOLDFAST_OFFSET_CONFLICT" || codeOf(error) === "HOLDFAST_REVISION_CONFLICT";
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}

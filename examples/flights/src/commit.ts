import { type DataStore, OffsetConflictError, RevisionConflictError, type Transaction } from "@holdfast/sqlite";

/** How many flights go into one commit: one sync to the disk for all of them. */
export const COMMIT_FLIGHTS = 1000;

/**
 * Runs `work` as one transaction. Where another demo on the same file was quicker, nothing of it was written; it runs
 * again, and sees how far the other one got.
 */
export async function commit<T>(store: DataStore, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await store.transaction(work);
    } catch (error) {
      if (!(error instanceof OffsetConflictError || error instanceof RevisionConflictError)) throw error;
    }
  }
}

/** How a long job is told to stop, and tells how far it is. */
export interface Run {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

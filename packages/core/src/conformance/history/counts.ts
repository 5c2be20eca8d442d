import type { CommitOperation, History } from "./history.ts";

/** How hard a race was: a test that needs contention, or faults, asserts that it had them. */
export interface RaceCounts {
  readonly operations: number;
  /** Writes that were acknowledged. */
  readonly ok: number;
  readonly conflicts: number;
  readonly unknown: number;
  readonly notWritten: number;
  /** Calls of a commit that had been called before. */
  readonly repeats: number;
  readonly reads: number;
  /** Reads that could not reach the backend; they are not in the history. */
  readonly unavailable: number;
  /** Writes that were called while another client's write to the same stream or state was under way. */
  readonly contended: number;
}

export function countRace(history: History, unavailable: number): RaceCounts {
  const commits = history.filter((one) => one.kind === "commit");
  const count = (kind: CommitOperation["outcome"]["kind"]) =>
    commits.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    operations: history.length,
    ok: count("ok"),
    conflicts: count("conflict"),
    unknown: count("unknown"),
    notWritten: count("notWritten"),
    repeats: commits.length - new Set(commits.map(({ commitId }, index) => commitId ?? index)).size,
    reads: history.length - commits.length,
    unavailable,
    contended: contendedIn(commits),
  };
}

function contendedIn(commits: readonly CommitOperation[]): number {
  const busyUntil = new Map<string, number>();
  let contended = 0;
  for (const { writes, called, returned } of commits.toSorted((one, other) => one.called - other.called)) {
    const places = writes.map((write) =>
      write.kind === "append" ? `stream ${write.stream}` : `state ${write.persistenceId}`,
    );
    if (places.some((place) => (busyUntil.get(place) ?? 0) > called)) contended += 1;
    for (const place of places) busyUntil.set(place, Math.max(returned, busyUntil.get(place) ?? 0));
  }
  return contended;
}

import type { CommitOperation, History, HistoryWrite } from "./history.ts";

/** All calls of one commit: one, or its repeats by commitId. It takes effect at most once. */
export interface Commit {
  readonly writes: readonly HistoryWrite[];
  readonly operations: readonly CommitOperation[];
  /** When it was first sent by a call that may have written it. */
  readonly called: number;
  /** When it was there at the latest: the first acknowledgement, or infinity. */
  readonly returned: number;
  /** Whether any call may have written it; false: it must not be there. */
  readonly isPossible: boolean;
  /** The call that was told of a conflict in a way that speaks for all calls (W-4): it must not be there. */
  readonly denied: CommitOperation | undefined;
}

/** The commits of a history, in the order of their first calls in it. */
export function commitsOf(history: History): Commit[] {
  const commits: Commit[] = [];
  const repeats = new Map<string, CommitOperation[]>();
  for (const operation of history) {
    if (operation.kind !== "commit") continue;
    if (operation.commitId === undefined) {
      commits.push(commitOf([operation]));
      continue;
    }
    let key = operation.commitId;
    // The same commitId with other content, or elsewhere, is another commit.
    if (!isSame(repeats.get(key)?.[0], operation)) key = keyOf(operation);
    const known = repeats.get(key);
    if (known === undefined) repeats.set(key, [operation]);
    else known.push(operation);
  }
  for (const operations of repeats.values()) commits.push(commitOf(operations));
  return commits;
}

export function isAcknowledged(commit: Commit): boolean {
  return commit.returned !== Number.POSITIVE_INFINITY;
}

function isSame(known: CommitOperation | undefined, operation: CommitOperation): boolean {
  return known === undefined || known.writes === operation.writes || keyOf(known) === keyOf(operation);
}

/** Its commitId and its content. */
function keyOf({ commitId, writes }: CommitOperation): string {
  let key = `${commitId}`;
  for (const write of writes) {
    if (write.kind === "append") key += `\0${write.stream}\0${write.offset}\0${write.tokens.join()}`;
    else key += `\0${write.persistenceId}\0${write.revision}\0${write.kind === "upsert" ? write.token : ""}`;
  }
  return key;
}

function commitOf(operations: readonly CommitOperation[]): Commit {
  let called = Number.POSITIVE_INFINITY;
  let returned = Number.POSITIVE_INFINITY;
  let isPossible = false;
  for (const operation of operations) {
    const { kind } = operation.outcome;
    if (kind === "conflict" || kind === "notWritten") continue;
    isPossible = true;
    if (operation.called < called) called = operation.called;
    if (kind === "ok" && operation.returned < returned) returned = operation.returned;
  }
  const [{ writes } = { writes: [] }] = operations;
  const denied = operations.find(speaksForAll);
  return { writes, operations, called, returned, isPossible: isPossible && denied === undefined, denied };
}

/** So many later revisions may lie over one for a repeat of its commit still to be known (W-3). */
const rememberedRevisions = 8;

/** Where the place was taken, whatever was sent earlier is not there either; a state written often since tells nothing. */
function speaksForAll({ outcome, writes }: CommitOperation): boolean {
  const clashed = outcome.kind === "conflict" ? writes[outcome.write] : undefined;
  if (outcome.kind !== "conflict" || clashed === undefined) return false;
  const later = outcome.actual - expectedBy(clashed) - 1;
  return later >= 0 && (later <= rememberedRevisions || writes.some(({ kind }) => kind === "append"));
}

/** The offset or revision that the write expects to be the next one, or the current one. */
export function expectedBy(write: HistoryWrite): number {
  return write.kind === "append" ? write.offset : write.revision;
}

/** A transaction with two writes to one place, of which the second does not stand on the first: refused at once (W-2). */
export function clashesWithItself(writes: readonly HistoryWrite[]): boolean {
  if (writes.length < 2) return false;
  const next = new Map<string, number>();
  for (const write of writes) {
    const isAppend = write.kind === "append";
    const place = isAppend ? `stream ${write.stream}` : `state ${write.persistenceId}`;
    const expected = expectedBy(write);
    if ((next.get(place) ?? expected) !== expected) return true;
    next.set(place, expected + (isAppend ? write.tokens.length : 1));
  }
  return false;
}

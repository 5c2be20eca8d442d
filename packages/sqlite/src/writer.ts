import type { Commit, CommitOutcome, StateWrite, Write } from "@holdfast/core/driver";
import type { Database, Statement } from "./database.ts";
import { isSyncFailure, leavesNothing, toFailure } from "./failure.ts";
import type { Messages } from "./messages.ts";
import type { StateEntry, States } from "./states.ts";
import type { StreamHead, StreamHeads } from "./stream-heads.ts";

/** From so many messages on that are in the log alone, they are folded into `place`. */
const FOLD_AT = 4_096;

/** What a write's precondition is judged against: a stream's next offset, or a state's revision. */
interface Target {
  readonly kind: Write["kind"];
  readonly name: string;
  level: number;
  /** The level that the commit being judged would leave. */
  planned: number;
  /** undefined: it does not exist yet. */
  stream: StreamHead | undefined;
  state: StateEntry | undefined;
}

/** Applies a group of commits in one transaction. */
export class Writer {
  readonly #db: Database;
  readonly #heads: StreamHeads;
  readonly #messages: Messages;
  readonly #states: States;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  readonly #rollback: Statement<[]>;

  constructor(
    db: Database,
    parts: { readonly heads: StreamHeads; readonly messages: Messages; readonly states: States },
  ) {
    this.#db = db;
    this.#heads = parts.heads;
    this.#messages = parts.messages;
    this.#states = parts.states;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
  }

  /** Takes the write lock, or throws SQLITE_BUSY at once. */
  lock(): void {
    this.#begin.run();
  }

  /** The outcomes, in order. Needs the lock, and gives it back. */
  apply(commits: readonly Commit[]): CommitOutcome[] {
    let outcomes: CommitOutcome[];
    try {
      outcomes = this.#run(commits);
    } catch (error) {
      this.#undo();
      return commits.map(() => ({ kind: "notWritten", cause: toFailure(error) }));
    }
    try {
      this.#commit.run();
      return outcomes;
    } catch (error) {
      this.#undo();
      // A refusal was true while the lock was held, whatever became of the others: it stands.
      const failed = outcomeOf(error);
      return outcomes.map((outcome) => (outcome.kind === "refused" ? outcome : failed));
    }
  }

  #run(commits: readonly Commit[]): CommitOutcome[] {
    this.#heads.refresh();
    const end = this.#heads.next;
    const targets = new Map<string, Target>();
    const outcomes = commits.map((commit) => this.#applyOne(commit, targets));
    if (this.#heads.next !== end) {
      this.#messages.insert();
      this.#heads.write(FOLD_AT);
    }
    return outcomes;
  }

  /** All preconditions are judged before anything is written, so that a refused commit leaves no trace. */
  #applyOne(commit: Commit, targets: Map<string, Target>): CommitOutcome {
    const plan = commit.writes.map((write) => ({ write, target: this.#targetOf(write, targets) }));
    for (const { target } of plan) target.planned = target.level;
    for (const [index, { write, target }] of plan.entries()) {
      const wanted = write.kind === "append" ? write.offset : write.expectedRevision;
      if (target.planned !== wanted) return this.#refuse(target, index);
      target.planned += write.kind === "append" ? write.records.length : 1;
    }
    for (const { write, target } of plan) {
      if (write.kind === "append") {
        target.stream ??= this.#heads.create(target.name);
        this.#messages.append(target.stream, write.records);
        target.level = target.stream.next;
      } else {
        this.#writeState(target, write);
      }
    }
    return { kind: "committed" };
  }

  #writeState(target: Target, write: StateWrite): void {
    target.state ??= this.#states.create(target.name);
    this.#states.write(target.state, write);
    target.level = target.state.revision;
  }

  #refuse(target: Target, write: number): CommitOutcome {
    if (target.level === 0) (target.kind === "append" ? this.#heads : this.#states).proveAbsent(target.name);
    return { kind: "refused", write, actual: target.planned };
  }

  #targetOf(write: Write, targets: Map<string, Target>): Target {
    const name = write.kind === "append" ? write.stream : write.persistenceId;
    const key = `${write.kind} ${name}`;
    const known = targets.get(key);
    if (known !== undefined) return known;
    const stream = write.kind === "append" ? this.#heads.find(name) : undefined;
    const state = write.kind === "state" ? this.#states.find(name) : undefined;
    const level = stream?.next ?? state?.revision ?? 0;
    const target: Target = { kind: write.kind, name, level, planned: level, stream, state };
    targets.set(key, target);
    return target;
  }

  /** What was done in memory and in the open transaction is forgotten. */
  #undo(): void {
    this.#heads.forget();
    this.#messages.forget();
    if (this.#db.inTransaction) this.#rollback.run();
  }
}

/** What a failed COMMIT means for the commits in it. */
function outcomeOf(error: unknown): CommitOutcome {
  if (isSyncFailure(error)) return { kind: "reopen", cause: toFailure(error) };
  return leavesNothing(error)
    ? { kind: "notWritten", cause: toFailure(error) }
    : { kind: "uncertain", cause: toFailure(error) };
}

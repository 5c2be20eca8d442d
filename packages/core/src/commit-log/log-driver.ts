import type { Commit, CommitOutcome } from "../driver/commit.ts";
import { DriverFailure } from "../driver/driver-failure.ts";
import type { GloballyOrderedDriver, Page, ReadLimit, StoredMessage, StoredState } from "../driver/store-driver.ts";
import type { Refusal } from "./apply.ts";
import { type Block, type CommitHeader, commitHeader, encodeBlock } from "./block.ts";
import { CheckpointReader } from "./checkpoint-reader.ts";
import type { Appended, CommitLog } from "./commit-log.ts";
import { Follower } from "./follower.ts";
import { foresee } from "./foresight.ts";
import { listPage } from "./listing.ts";
import { LogReads } from "./log-reads.ts";
import { Merger } from "./merger.ts";
import { Moved } from "./moved.ts";
import { Segments } from "./segments.ts";
import { brokenChain, View } from "./view.ts";

/**
 * Opens the engine on a log: reads its checkpoint, makes it again where it was lost, and catches up with the log's end.
 * A log that can't be opened is closed.
 */
export async function openLogDriver(log: CommitLog): Promise<GloballyOrderedDriver> {
  const driver = new LogDriver(log);
  try {
    await driver.open();
    return driver;
  } catch (error) {
    await log.close();
    throw error;
  }
}

/**
 * The log-structured engine: a {@link GloballyOrderedDriver} over any {@link CommitLog}. The log orders blocks; every
 * process applies them by the same rule (apply.ts). A commit is answered by what was decided where its block lies.
 */
class LogDriver implements GloballyOrderedDriver {
  readonly storeId: string;
  readonly transactions = "store";
  readonly durable: boolean;
  readonly noticeMs: number;
  readonly maxGroupBytes: number;
  /** Where the log has hints to give. */
  readonly watch?: (wake: () => void) => () => void;
  readonly #log: CommitLog;
  readonly #view: View;
  readonly #segments: Segments;
  readonly #reads: LogReads;
  readonly #checkpoints: CheckpointReader;
  readonly #follower: Follower;
  readonly #merger: Merger | undefined;
  /** A block whose reply was lost: it is brought to an end before anything else is sent. */
  #unsettled: { readonly block: Block; readonly bytes: Uint8Array } | undefined;
  #reopen: DriverFailure | undefined;
  #seenChanges = -1;

  constructor(log: CommitLog) {
    this.#log = log;
    this.storeId = log.storeId;
    this.durable = log.durable;
    this.noticeMs = log.noticeMs;
    this.maxGroupBytes = log.maxGroupBytes;
    if (log.watch !== undefined) this.watch = log.watch.bind(log);
    this.#view = new View(log.start);
    this.#segments = new Segments(log.archive);
    this.#reads = new LogReads(log, this.#view, this.#segments);
    this.#checkpoints = new CheckpointReader(log.archive, this.#view);
    this.#follower = new Follower(log, this.#view, (position) => this.#checkpoints.jump(position));
    const engine = { view: this.#view, segments: this.#segments, checkpoints: this.#checkpoints };
    this.#merger = log.archive && new Merger(log, log.archive, engine);
  }

  async open(): Promise<void> {
    const { witness } = this.#log;
    await this.#checkpoints.open();
    await this.#follower.look();
    if (witness !== undefined && !this.#view.holds(witness)) throw brokenChain();
    this.#merger?.poke();
  }

  async commit(commits: readonly Commit[], deadline: number): Promise<readonly CommitOutcome[]> {
    if (this.#reopen !== undefined) return commits.map(() => ({ kind: "notWritten", cause: this.#reopen }));
    try {
      const unsettled = await this.#settle(deadline);
      if (unsettled !== undefined) return commits.map(() => unsettled);
      return await this.#commit(commits, deadline);
    } finally {
      this.#merger?.poke();
    }
  }

  async nextOffset(stream: string): Promise<number> {
    await this.#follower.look();
    return this.#view.nextOffset(stream);
  }

  async nextGlobalOffset(): Promise<number> {
    await this.#follower.look();
    return this.#view.nextGlobal;
  }

  async readStream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    // What is at an offset never changes: only where nothing is known yet is the log's end looked at.
    if (from >= this.#view.nextOffset(stream)) await this.#follower.look();
    return this.#checkpoints.retried(() => this.#reads.stream(stream, from, limit));
  }

  async readGlobal(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    if (from >= this.#view.nextGlobal) await this.#follower.look();
    return this.#checkpoints.retried(() => this.#reads.global(from, limit));
  }

  async readState(persistenceId: string): Promise<StoredState | undefined> {
    await this.#follower.look();
    return this.#checkpoints.retried(() => this.#reads.state(persistenceId));
  }

  async readReceipt(persistenceId: string, revision: number): Promise<string | undefined> {
    await this.#follower.look();
    return this.#checkpoints.retried(() => this.#reads.receipt(persistenceId, revision));
  }

  async listStreams(
    prefix: string,
    after: string | undefined,
  ): Promise<Page<{ readonly stream: string; readonly nextOffset: number }>> {
    if (after === undefined) await this.#follower.look();
    const { checkpoint } = this.#view;
    const itemOf = (stream: string) => ({ stream, nextOffset: this.#view.nextOffset(stream) });
    return listPage(checkpoint.streams, this.#view.unmergedStreams(), { prefix, after }, itemOf);
  }

  async listStates(prefix: string, after: string | undefined): Promise<Page<string>> {
    if (after === undefined) await this.#follower.look();
    const { checkpoint } = this.#view;
    const itemOf = (persistenceId: string) => (this.#view.state(persistenceId)?.live ? persistenceId : undefined);
    return listPage(checkpoint.states, this.#view.unmergedStates(), { prefix, after }, itemOf);
  }

  async changed(): Promise<boolean> {
    await this.#follower.look();
    this.#merger?.poke();
    const moved = this.#view.changes !== this.#seenChanges;
    this.#seenChanges = this.#view.changes;
    return moved;
  }

  async close(): Promise<void> {
    await this.#merger?.stop();
    await this.#log.close();
  }

  async #commit(commits: readonly Commit[], deadline: number): Promise<readonly CommitOutcome[]> {
    const headers = commits.map(commitHeader);
    let foreseen = foresee(this.#view, headers);
    if (foreseen.some(({ refusal }) => refusal !== undefined)) {
      // The view may lag: a refusal is true only after a look at the log's end.
      try {
        await this.#follower.look();
      } catch (cause) {
        return commits.map(() => ({ kind: "notWritten", cause }));
      }
      foreseen = foresee(this.#view, headers);
    }
    const passes = (_: unknown, index: number) => foreseen[index]?.refusal === undefined;
    const members = commits.filter(passes);
    const answers = members.length === 0 ? [] : await this.#append(members, headers.filter(passes), deadline);
    const rest = answers.values();
    const outcomes = foreseen.map(({ refusal }) => (refusal ? refused(refusal) : (rest.next().value ?? LOST)));
    // Those behind an open member are judged when it is sent again.
    if (answers.some(({ kind }) => kind === "uncertain")) return outcomes;
    // Who was refused because of earlier members is judged anew: they may have lost, and other heads may have moved.
    const anew = commits.filter((_, index) => foreseen[index]?.rests);
    const judged = (anew.length === 0 ? [] : await this.commit(anew, deadline)).values();
    return outcomes.map((outcome, index) => (foreseen[index]?.rests ? (judged.next().value ?? LOST) : outcome));
  }

  async #append(
    commits: readonly Commit[],
    headers: readonly CommitHeader[],
    deadline: number,
  ): Promise<readonly CommitOutcome[]> {
    const { block, bytes } = encodeBlock(commits, headers, this.#view.last);
    this.#follower.expect(block, bytes);
    const appended = await this.#send(block, bytes, deadline);
    if (appended.kind !== "appended") {
      if (appended.kind !== "uncertain") this.#follower.decisionsOf(block);
      return commits.map(() => appended);
    }
    return this.#decided(commits, block);
  }

  /** Reads on to an appended block, and gives what was decided there. */
  async #decided(commits: readonly Commit[], block: Block): Promise<readonly CommitOutcome[]> {
    let lookFailed: unknown;
    try {
      await this.#follower.reach(block);
    } catch (thrown) {
      lookFailed = thrown;
    }
    const decisions = this.#follower.decisionsOf(block);
    if (decisions === undefined) {
      // It is decided, and can't be decided again: what is sent once more is judged by who holds its place.
      const cause = lookFailed ?? new Moved("the block was merged before this process came to it");
      return commits.map(() => ({ kind: "uncertain", cause }));
    }
    return decisions.map((refusal) => (refusal === undefined ? { kind: "committed" } : refused(refusal)));
  }

  async #send(block: Block, bytes: Uint8Array, deadline: number): Promise<Appended> {
    const appended = await this.#log.append(bytes, deadline);
    this.#unsettled = appended.kind === "uncertain" ? { block, bytes } : undefined;
    if (appended.kind === "reopen") {
      this.#reopen = new DriverFailure("reopen", "a sync to disk failed: open the store again", {
        cause: appended.cause,
      });
    }
    return appended;
  }

  /** Brings the block whose reply was lost to a definite end; gives the outcome of those who wait behind it if there is none. */
  async #settle(deadline: number): Promise<CommitOutcome | undefined> {
    if (this.#unsettled === undefined) return undefined;
    const { block, bytes } = this.#unsettled;
    const appended = await this.#send(block, bytes, deadline);
    if (appended.kind === "uncertain") return { kind: "notWritten", cause: appended.cause };
    if (appended.kind === "reopen") return appended;
    if (appended.kind === "appended") await this.#follower.look().catch(() => undefined);
    this.#follower.decisionsOf(block);
    return undefined;
  }
}

const LOST: CommitOutcome = { kind: "uncertain", cause: undefined };

function refused({ write, actual }: Refusal): CommitOutcome {
  return { kind: "refused", write, actual };
}

import { DriverFailure } from "../driver/driver-failure.ts";
import { type Heads, type Refusal, refusalOf } from "./apply.ts";
import { type Block, type CommitHeader, damagedBlock, extendChain } from "./block.ts";
import { type Checkpoint, emptyCheckpoint } from "./checkpoint.ts";
import type { Position, Witness } from "./commit-log.ts";
import type { AppliedBlock, Run, StateHead, StateRun, StreamHead } from "./heads.ts";

/** What is merged has no runs. */
const NONE: readonly never[] = [];

/**
 * What one process knows of a log: the newest checkpoint it met, and all that it applied since. Payloads stay in the
 * store; what is held here is where streams and states stand, and where their bytes lie.
 */
export class View implements Heads {
  /** Where the log goes on. */
  position: Position;
  /** The last block applied. */
  last: Witness | undefined;
  nextGlobal = 0;
  /** Grows with every commit that took effect. */
  changes = 0;
  /** How often blocks were skipped, because a checkpoint held them already. */
  skips = 0;
  checkpoint: Checkpoint;
  /** What is not merged yet, in the order of the log. */
  blocks: AppliedBlock[] = [];
  runs: Run[] = [];
  stateRuns: StateRun[] = [];
  /** Bytes of the blocks that are not merged yet. */
  unmergedBytes = 0;
  /** Those that something was written to since the checkpoint. */
  readonly #streams = new Map<string, StreamHead>();
  readonly #states = new Map<string, StateHead>();
  /** Chains of unmerged blocks by position, to hold later blocks' witnesses against. */
  readonly #chains = new Map<Position, number>();

  constructor(start: Position) {
    this.position = start;
    this.checkpoint = emptyCheckpoint(start);
  }

  stream(stream: string): StreamHead | undefined {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const [nextOffset] = this.checkpoint.streams.numbers(stream, 1) ?? [];
    return nextOffset === undefined ? undefined : { stream, nextOffset, runs: NONE };
  }

  state(persistenceId: string): StateHead | undefined {
    const known = this.#states.get(persistenceId);
    if (known !== undefined) return known;
    const [revision, live] = this.checkpoint.states.numbers(persistenceId, 2) ?? [];
    return revision === undefined ? undefined : { persistenceId, revision, live: live === 1, runs: NONE };
  }

  nextOffset(stream: string): number {
    return this.stream(stream)?.nextOffset ?? 0;
  }

  revision(persistenceId: string): number {
    return this.state(persistenceId)?.revision ?? 0;
  }

  /** Streams that something was written to since the checkpoint. */
  unmergedStreams(): Iterable<string> {
    return this.#streams.keys();
  }

  unmergedStates(): Iterable<string> {
    return this.#states.keys();
  }

  /** Applies the next block of the log; says of each of its commits whether it was refused. */
  apply(position: Position, block: Block): readonly (Refusal | undefined)[] {
    if (block.after !== undefined && !this.holds(block.after)) throw brokenChain();
    const chain = extendChain(this.last?.chain ?? 0, block);
    let at = block.bodyAt;
    const outcomes = block.commits.map((commit) => {
      const refusal = refusalOf(this, commit);
      if (refusal === undefined) this.#take(commit, position, at);
      for (const write of commit) at += write[4];
      return refusal;
    });
    if (at !== block.size) throw damagedBlock();
    this.last = { position, chain };
    this.#chains.set(position, chain);
    this.blocks.push({ position, chain, nextGlobal: this.nextGlobal, size: block.size });
    this.unmergedBytes += block.size;
    return outcomes;
  }

  /** Takes a newer checkpoint over: what it holds is merged from here on, and what was not applied yet is skipped. */
  adopt(checkpoint: Checkpoint): void {
    const { position } = checkpoint;
    const ahead = position > this.position;
    this.checkpoint = checkpoint;
    forgetMerged(this.#streams, this.runs, ({ stream }) => stream, position);
    forgetMerged(this.#states, this.stateRuns, ({ persistenceId }) => persistenceId, position);
    this.runs = this.runs.filter((run) => run.position >= position);
    this.stateRuns = this.stateRuns.filter((run) => run.position >= position);
    for (const block of this.blocks) if (block.position < position) this.#chains.delete(block.position);
    this.blocks = this.blocks.filter((block) => block.position >= position);
    this.unmergedBytes = this.blocks.reduce((sum, block) => sum + block.size, 0);
    if (!ahead) return;
    this.position = position;
    this.last = checkpoint.last;
    this.nextGlobal = checkpoint.nextGlobal;
    this.changes += 1;
    this.skips += 1;
  }

  #take(commit: CommitHeader, position: Position, blockAt: number): void {
    this.changes += 1;
    let at = blockAt;
    for (const write of commit) {
      const bytes = write[4];
      if (write[0] === "m") {
        const [, stream, offset, count] = write;
        const head = this.#streamHead(stream);
        const run: Run = { stream: head.stream, offset, count, global: this.nextGlobal, position, at, bytes };
        head.nextOffset = offset + count;
        head.runs = pushed(head.runs, run);
        this.runs.push(run);
        this.nextGlobal += count;
      } else {
        const [, persistenceId, expectedRevision, live] = write;
        const head = this.#stateHead(persistenceId);
        head.revision = expectedRevision + 1;
        head.live = live === 1;
        const { revision } = head;
        const run: StateRun = { persistenceId: head.persistenceId, revision, live: head.live, position, at, bytes };
        head.runs = pushed(head.runs, run);
        this.stateRuns.push(run);
      }
      at += bytes;
    }
  }

  #streamHead(stream: string): StreamHead {
    const head = this.stream(stream) ?? { stream, nextOffset: 0, runs: NONE };
    if (head.runs === NONE) this.#streams.set(stream, head);
    return head;
  }

  #stateHead(persistenceId: string): StateHead {
    const head = this.state(persistenceId) ?? { persistenceId, revision: 0, live: false, runs: NONE };
    if (head.runs === NONE) this.#states.set(persistenceId, head);
    return head;
  }

  /** Whether what someone knew to be in the log was applied here. What is older than all that is remembered was vouched for by its neighbours. */
  holds({ position, chain }: Witness): boolean {
    const merged = this.checkpoint.last;
    const known = position === merged?.position ? merged.chain : this.#chains.get(position);
    return known === undefined ? position < (merged?.position ?? 0) : known === chain;
  }
}

/** What a log holds is not what was known to be in it. */
export function brokenChain(): DriverFailure {
  return new DriverFailure(
    "corruption",
    "a block is missing from the log, or was altered: restore the store from a copy",
  );
}

/** Of those that have nothing left that is not merged, the checkpoint says all. */
function forgetMerged<R extends { readonly position: Position }>(
  heads: Map<string, { runs: readonly R[] }>,
  runs: readonly R[],
  nameOf: (run: R) => string,
  position: Position,
): void {
  for (const run of runs) {
    if (run.position >= position) break;
    const head = heads.get(nameOf(run));
    if (head === undefined || (head.runs[0]?.position ?? position) >= position) continue;
    head.runs = head.runs.filter((one) => one.position >= position);
    if (head.runs.length === 0) heads.delete(nameOf(run));
  }
}

function pushed<T>(list: readonly T[], item: T): readonly T[] {
  if (list === NONE) return [item];
  (list as T[]).push(item);
  return list;
}

import { randomBytes } from "node:crypto";
import { asBuffer } from "./block.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import type { CheckpointReader } from "./checkpoint-reader.ts";
import type { Archive, CommitLog, Position } from "./commit-log.ts";
import { merge } from "./merge.ts";
import type { Segments } from "./segments.ts";
import type { View } from "./view.ts";

/** The log is read so much at a time. */
const READ_BYTES = 2 * 1024 * 1024;
/** A segment that no checkpoint names any more is kept so long, for openers and slow cursors that still hold an older one. */
const RETIRED_MS = 60 * 60 * 1000;
/** A segment that none ever named (its writer died, or lost the race for the checkpoint) is retired after so long. */
const ORPHANED_MS = 24 * 60 * 60 * 1000;

/** What the merger works on. */
interface Engine {
  readonly view: View;
  readonly segments: Segments;
  readonly checkpoints: CheckpointReader;
}

/**
 * Merges small blocks into segments in the background, when enough of them lie behind the newest checkpoint. Several
 * processes may try at once: the checkpoint is replaced by compare-and-swap, and who loses has worked in vain.
 */
export class Merger {
  readonly #log: CommitLog;
  readonly #archive: Archive;
  readonly #engine: Engine;
  #running: Promise<void> | undefined;
  #stopped = false;
  #patience = patience();
  #swept = false;

  constructor(log: CommitLog, archive: Archive, engine: Engine) {
    this.#log = log;
    this.#archive = archive;
    this.#engine = engine;
  }

  /** Begins to merge if it is time. */
  poke(): void {
    if (this.#running !== undefined || this.#stopped || !this.#isTime()) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#patience = patience();
    });
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #isTime(): boolean {
    const { blocks, unmergedBytes } = this.#engine.view;
    const { mergeAfter } = this.#log;
    return blocks.length >= mergeAfter.blocks * this.#patience || unmergedBytes >= mergeAfter.bytes * this.#patience;
  }

  /** A merge that fails leaves everything as it was: the next one tries again, and readers tell of what is wrong. */
  async #run(): Promise<void> {
    try {
      while (!this.#stopped && this.#isTime()) {
        const { kind, version } = await this.#engine.checkpoints.reload();
        // Only over the checkpoint that the view stands on: one that was damaged is made again by an open.
        if (kind === "other") return;
        if (kind !== "moved" && !(await this.#mergeOnce(version))) return;
      }
    } catch {
      return;
    }
  }

  /** true: the view stands on a newer checkpoint now. */
  async #mergeOnce(version: string | undefined): Promise<boolean> {
    const { view, segments } = this.#engine;
    const { checkpoint } = view;
    const stretch = this.#choose(checkpoint);
    if (stretch === undefined) return false;
    const blocks = await this.#readBlocks(checkpoint.position, stretch.to);
    const kept = keptSegments(checkpoint, stretch.bytes, this.#log.mergeAfter.bytes);
    const absorbed: Buffer[] = [];
    for (let index = kept; index < checkpoint.segments.length; index++) {
      absorbed.push(await segments.whole(checkpoint, index));
    }
    const nowMs = Date.now();
    const name = segmentName(nowMs);
    const retired = [
      ...checkpoint.retired.filter(({ atMs }) => nowMs - atMs < RETIRED_MS),
      ...(await this.#orphans(checkpoint, nowMs)),
    ];
    const expired = checkpoint.retired.filter(({ atMs }) => nowMs - atMs >= RETIRED_MS);
    const input = { checkpoint, absorbed, kept, blocks, name, nowMs, retired, ...stretch };
    const merged = await merge(input);
    if (this.#stopped || view.checkpoint !== checkpoint) return view.checkpoint !== checkpoint;
    await this.#archive.writeSegment(name, merged.segment);
    if (!(await this.#archive.replaceCheckpoint(version, merged.checkpoint))) {
      // Its segment is left to grow old: a request that was repeated on its way loses to itself, and then it is named.
      return (await this.#engine.checkpoints.reload()).kind === "moved";
    }
    this.#swept = true;
    const next = decodeCheckpoint(merged.checkpoint);
    if (next !== undefined && next.position > view.checkpoint.position) view.adopt(next);
    await this.#log.forget?.(stretch.to);
    for (const { name: old } of expired) await this.#archive.removeSegment(old);
    return true;
  }

  /** What the blocks behind the checkpoint wrote, up to a segment's worth. */
  #choose({ position }: Checkpoint) {
    const { view } = this.#engine;
    const unmerged = view.blocks.filter((block) => block.position >= position);
    let bytes = 0;
    let count = 0;
    while (count < unmerged.length) {
      bytes += unmerged[count]?.size ?? 0;
      if (count > 0 && bytes > this.#log.mergeAfter.bytes) break;
      count += 1;
    }
    const last = unmerged[count - 1];
    if (last === undefined) return undefined;
    const to = unmerged[count]?.position ?? view.position;
    const before = ({ position: at }: { readonly position: Position }) => at < to && at >= position;
    return {
      bytes,
      to,
      last: { position: last.position, chain: last.chain },
      nextGlobal: last.nextGlobal,
      runs: view.runs.filter(before),
      stateRuns: view.stateRuns.filter(before),
    };
  }

  async #readBlocks(from: Position, to: Position): Promise<ReadonlyMap<Position, Buffer>> {
    const blocks = new Map<Position, Buffer>();
    for (let next = from; next < to; ) {
      const page = await this.#log.read(next, READ_BYTES);
      if (page === "merged" || page.blocks.length === 0)
        throw new Error("the log moved on: the next merge looks again");
      for (const { position, bytes } of page.blocks) if (position < to) blocks.set(position, asBuffer(bytes));
      next = page.next;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return blocks;
  }

  /**
   * What dead or losing mergers left behind, once a process: retired now, and so removed when the checkpoint has moved on
   * since. A merger that only slept can't publish it any more by then.
   */
  async #orphans(checkpoint: Checkpoint, nowMs: number): Promise<Checkpoint["retired"]> {
    if (this.#swept) return [];
    const known = names(checkpoint);
    const unknown = (await this.#archive.listSegments()).filter((name) => !known.has(name));
    const old = unknown.filter((name) => nowMs - Number.parseInt(name.slice(0, TIME_DIGITS), 36) > ORPHANED_MS);
    return old.map((name) => ({ name, atMs: nowMs }));
  }
}

function names({ segments, retired }: Checkpoint): ReadonlySet<string> {
  return new Set([...segments, ...retired].map(({ name }) => name));
}

const TIME_DIGITS = 9;

/** Unique for ever; sorts by the time it was made. */
function segmentName(nowMs: number): string {
  return `${nowMs.toString(36).padStart(TIME_DIGITS, "0")}-${randomBytes(8).toString("hex")}`;
}

/** Processes that see the same log shall not all begin at once. */
function patience(): number {
  return 1 + Math.random() / 2;
}

/**
 * How many segments stay. Those at the end that are no larger than what comes to them are merged with it: so there are
 * few small ones, and each byte is written again a few times only, however long the store lives.
 */
function keptSegments({ segments }: Checkpoint, newBytes: number, maxBytes: number): number {
  let kept = segments.length;
  let bytes = newBytes;
  for (; kept > 0; kept--) {
    const last = segments[kept - 1]?.bytes ?? 0;
    if (last > bytes || bytes + last > maxBytes) break;
    bytes += last;
  }
  return kept;
}

import { DriverFailure } from "../driver/driver-failure.ts";
import type { ReadLimit, StoredMessage, StoredState } from "../driver/store-driver.ts";
import { asBuffer, damagedBlock } from "./block.ts";
import { type Checkpoint, parseState, parseStream } from "./checkpoint.ts";
import type { CommitLog, Position } from "./commit-log.ts";
import type { Run, StateRun } from "./heads.ts";
import { KEPT_RECEIPTS } from "./merge.ts";
import { Moved } from "./moved.ts";
import { linesOf } from "./segment.ts";
import { messagesOf, type PlacedExtent, type Segments } from "./segments.ts";
import type { View } from "./view.ts";

/** So many small pieces of the log are read at once. */
const PARALLEL_READS = 16;

/** Collects messages until a limit is met; at least one. */
class PageBuilder {
  readonly messages: StoredMessage[] = [];
  readonly #limit: ReadLimit;
  #bytes = 0;

  constructor(limit: ReadLimit) {
    this.#limit = limit;
  }

  /** false: the page is full. */
  add(message: StoredMessage): boolean {
    this.#bytes += message.record.length;
    if (this.messages.length > 0 && this.#bytes > this.#limit.maxBytes) return false;
    this.messages.push(message);
    return this.messages.length < this.#limit.maxRecords;
  }
}

/** Reads what a view knows, from segments and from the log. Throws {@link Moved} where that was merged away meanwhile. */
export class LogReads {
  readonly #log: CommitLog;
  readonly #view: View;
  readonly #segments: Segments;

  constructor(log: CommitLog, view: View, segments: Segments) {
    this.#log = log;
    this.#view = view;
    this.#segments = segments;
  }

  async stream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    const { checkpoint } = this.#view;
    const head = this.#view.stream(stream);
    if (head === undefined || from >= head.nextOffset) return [];
    const { runs } = head;
    const firstUnmerged = runs[0]?.offset ?? head.nextOffset;
    const page = new PageBuilder(limit);
    if (from < firstUnmerged) {
      for (const extent of await this.#extentsFrom(checkpoint, stream, from)) {
        const group = await this.#segments.streamGroup(checkpoint, extent);
        for (const message of messagesOf(group, from)) if (!page.add(message)) return page.messages;
      }
    }
    let index = Math.max(
      0,
      findLast(runs, ({ offset }) => offset <= from),
    );
    while (index < runs.length) {
      const some = take(runs, index, limit);
      index += some.length;
      const bodies = await Promise.all(some.map((run) => this.#bytesOf(run)));
      for (const [ordinal, run] of some.entries()) {
        for (const message of messagesIn(run, bodies[ordinal])) {
          if (message.offset >= from && !page.add(message)) return page.messages;
        }
      }
    }
    return page.messages;
  }

  async global(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    const { checkpoint, runs, nextGlobal } = this.#view;
    if (from >= nextGlobal) return [];
    const page = new PageBuilder(limit);
    let next = from;
    while (next < checkpoint.nextGlobal) {
      const index = findLast(checkpoint.segments, (_, at) => (checkpoint.segments[at - 1]?.nextGlobal ?? 0) <= next);
      const ordered = await this.#segments.ordered(checkpoint, index);
      const end = checkpoint.segments[index]?.nextGlobal ?? next;
      for (; next < end; next++) {
        const message = ordered.message(next);
        if (message === undefined || !page.add(message)) return page.messages;
      }
    }
    await this.#unmergedGlobal(runs, next, limit, page);
    return page.messages;
  }

  async state(persistenceId: string): Promise<StoredState | undefined> {
    const { checkpoint } = this.#view;
    const head = this.#view.state(persistenceId);
    if (head === undefined) return undefined;
    const { revision, runs } = head;
    const newest = runs.at(-1);
    const body = newest === undefined ? undefined : await this.#bytesOf(newest);
    const [record] = linesOf(body ?? (await this.#mergedState(checkpoint, persistenceId)).body);
    if (record === undefined) throw new DriverFailure("corruption", "a state's bytes are damaged: restore from a copy");
    return { revision, record };
  }

  /** The receipt of a revision of the last nine. */
  async receipt(persistenceId: string, revision: number): Promise<string | undefined> {
    const { checkpoint } = this.#view;
    const head = this.#view.state(persistenceId);
    if (head === undefined || revision > head.revision || revision < 1 || head.revision - revision >= KEPT_RECEIPTS)
      return undefined;
    const run = head.runs.find((one) => one.revision === revision);
    if (run !== undefined) return linesOf(await this.#bytesOf(run), 1).next().value ?? undefined;
    const row = checkpoint.states.find(persistenceId);
    const extents = row === undefined ? [] : parseState(row).extents;
    for (const extent of extents) {
      const group = await this.#segments.stateGroup(checkpoint, extent);
      const receipt = linesOf(group.body, 1 + group.revision - revision).next().value;
      if (receipt !== undefined) return receipt;
    }
    return undefined;
  }

  async #mergedState(checkpoint: Checkpoint, persistenceId: string) {
    const row = checkpoint.states.find(persistenceId);
    const [extent] = row === undefined ? [] : parseState(row).extents;
    if (extent === undefined) throw new RangeError("a merged state lies somewhere");
    return this.#segments.stateGroup(checkpoint, extent);
  }

  async #extentsFrom(checkpoint: Checkpoint, stream: string, offset: number): Promise<readonly PlacedExtent[]> {
    const row = checkpoint.streams.find(stream);
    if (row === undefined) throw new RangeError("a merged stream lies somewhere");
    return this.#segments.extentsFrom(checkpoint, parseStream(row), offset);
  }

  /** Reads the log block by block: in global order neighbours lie together. */
  async #unmergedGlobal(runs: readonly Run[], from: number, limit: ReadLimit, page: PageBuilder): Promise<void> {
    let index = Math.max(
      0,
      findLast(runs, ({ global }) => global <= from),
    );
    let blocks: ReadonlyMap<Position, Buffer> = new Map();
    for (let run = runs[index]; run !== undefined; run = runs[++index]) {
      let block = blocks.get(run.position);
      if (block === undefined) {
        const read = await this.#log.read(run.position, limit.maxBytes);
        if (read === "merged") throw new Moved("the log");
        blocks = new Map(read.blocks.map(({ position, bytes }) => [position, asBuffer(bytes)]));
        block = blocks.get(run.position);
      }
      for (const message of messagesIn(run, block?.subarray(run.at, run.at + run.bytes))) {
        if ((message.globalOffset ?? 0) >= from && !page.add(message)) return;
      }
    }
  }

  async #bytesOf(run: Run | StateRun): Promise<Buffer> {
    const bytes = await this.#log.readBytes(run.position, run.at, run.bytes);
    if (bytes === "merged") throw new Moved("the log");
    return asBuffer(bytes);
  }
}

function* messagesIn(run: Run, body: Buffer | undefined): Generator<StoredMessage> {
  let index = 0;
  for (const record of body === undefined ? [] : linesOf(body)) {
    yield { stream: run.stream, offset: run.offset + index, globalOffset: run.global + index, record };
    index += 1;
  }
  if (index !== run.count) throw damagedBlock();
}

/** Runs from `from` on that may fit the page: not all of those of a long stream. */
function take(runs: readonly Run[], from: number, limit: ReadLimit): readonly Run[] {
  const some: Run[] = [];
  let bytes = 0;
  for (let index = from; index < runs.length && some.length < PARALLEL_READS; index++) {
    const run = runs[index];
    if (run === undefined || (some.length > 0 && bytes + run.bytes > limit.maxBytes)) break;
    bytes += run.bytes;
    some.push(run);
  }
  return some;
}

/** The last index for which a condition holds that holds up to some index, and no further; -1: for none. */
function findLast<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && holds(item, middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

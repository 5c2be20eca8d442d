import { watch } from "node:fs";
import { join } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import type { Appended, CommitLog, LogBlock, LogPage, Position, Witness } from "@holdfast/core/log";
import { FolderArchive } from "./archive.ts";
import { ClosedSegments } from "./closed-segments.ts";
import { damaged, toFailure } from "./failure.ts";
import { FIRST_SEGMENT, LOG_FOLDER, offsetOf, positionOf, segmentOf } from "./layout.ts";
import { LogEnd } from "./log-end.ts";
import { MarkFile } from "./mark.ts";
import { Patience } from "./patience.ts";
import type { FoundBlock } from "./scan.ts";
import { openStoreFolder, type StoreFolder } from "./store-folder.ts";

export interface FilesystemLogOptions {
  readonly directory: string;
  readonly noticeMs: number;
  /** From so many bytes on the log goes on in another file. */
  readonly segmentBytes?: number | undefined;
  readonly mergeAfter?: { readonly blocks: number; readonly bytes: number } | undefined;
}

const MAX_GROUP_BYTES = 1024 * 1024;
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** What is not merged is held in memory, name by name, and so it counts when a store is opened. */
const MERGE_AFTER = { blocks: 16_384, bytes: 4 * 1024 * 1024 };

/**
 * A log in files that any number of processes append to: one write and one sync for a block, no lock. Where a block lies
 * in the files is its place in the order.
 */
export class FilesystemLog implements CommitLog {
  readonly storeId: string;
  readonly durable = true;
  readonly noticeMs: number;
  readonly maxGroupBytes = MAX_GROUP_BYTES;
  readonly start = positionOf(FIRST_SEGMENT, 0);
  readonly mergeAfter: { readonly blocks: number; readonly bytes: number };
  readonly archive: FolderArchive;
  readonly witness: Witness | undefined;
  readonly #folder: string;
  readonly #mark: MarkFile;
  readonly #end: LogEnd;
  readonly #closed: ClosedSegments;
  readonly #patience = new Patience();
  /** Whether a block that was written is in the log, while its sync is not done. */
  #unsettled: Promise<boolean> | undefined;

  private constructor(
    store: StoreFolder,
    options: FilesystemLogOptions,
    parts: { readonly mark: MarkFile; readonly end: LogEnd },
  ) {
    this.storeId = store.storeId;
    this.noticeMs = options.noticeMs;
    this.mergeAfter = options.mergeAfter ?? MERGE_AFTER;
    this.archive = new FolderArchive(store.root, store.publisher);
    this.witness = parts.mark.found?.witness;
    this.#folder = join(store.root, LOG_FOLDER);
    this.#mark = parts.mark;
    this.#end = parts.end;
    this.#closed = new ClosedSegments(this.#folder, store.publisher);
  }

  static async open(options: FilesystemLogOptions): Promise<FilesystemLog> {
    let mark: MarkFile | undefined;
    try {
      const store = await openStoreFolder(options.directory);
      mark = new MarkFile(store.root);
      const { segmentBytes = SEGMENT_BYTES } = options;
      const settings = { folder: join(store.root, LOG_FOLDER), publisher: store.publisher, segmentBytes };
      const end = await LogEnd.open(settings, mark.found);
      return new FilesystemLog(store, options, { mark, end });
    } catch (error) {
      mark?.close();
      throw toFailure(error);
    }
  }

  async append(block: Uint8Array, deadline: number): Promise<Appended> {
    try {
      for (;;) {
        if (this.#end.failed !== undefined) return { kind: "reopen", cause: this.#end.failed };
        if (this.#unsettled === undefined) {
          const live = this.#end.ready ?? (await this.#patience.wait(deadline, this.#end.forWriting()));
          if (live === "late") return { kind: "notWritten", cause: late("the disk did not answer in time") };
          const written = live.write(block);
          this.#unsettled = this.#end.settle(live, block, written);
        }
        const there = await this.#patience.wait(deadline, this.#unsettled);
        if (there === "late") return { kind: "uncertain", cause: late("the disk did not answer in time") };
        this.#unsettled = undefined;
        if (there) return { kind: "appended" };
        if (performance.now() >= deadline) return { kind: "notWritten", cause: late("only others got through") };
      }
    } catch (error) {
      this.#unsettled = undefined;
      if (this.#end.failed !== undefined) return { kind: "reopen", cause: this.#end.failed };
      return { kind: "notWritten", cause: toFailure(error) };
    }
  }

  /** What is durable already is given first, as a page of its own: it need not wait for the sync of what lies behind it. */
  async read(from: Position, maxBytes: number): Promise<LogPage | "merged"> {
    try {
      return await this.#read(from, maxBytes);
    } catch (error) {
      throw toFailure(error);
    }
  }

  async #read(from: Position, maxBytes: number): Promise<LogPage | "merged"> {
    const page = new Page(from);
    let segment = segmentOf(from);
    let offset = offsetOf(from);
    if (segment > this.#end.live.number) await this.#reach(segment);
    while (page.bytes < maxBytes) {
      if (segment < this.#end.live.number) {
        const found = this.#closed.scan(segment, offset, maxBytes - page.bytes);
        if (found === "merged") return page.blocks.length === 0 ? "merged" : page;
        page.add(segment, found.blocks);
        if (found.full) return page;
      } else if (!(await this.#readLive(page, offset, maxBytes - page.bytes))) {
        return page;
      }
      segment += 1;
      offset = 0;
    }
    return page;
  }

  /** Whether the page goes on behind the live file. */
  async #readLive(page: Page, offset: number, maxBytes: number): Promise<boolean> {
    const { live } = this.#end;
    const size = live.look();
    const found = live.scan(offset, maxBytes);
    const durable = found.blocks.filter(({ end }) => end <= live.durable);
    const waiting = durable.length < found.blocks.length;
    page.add(live.number, durable);
    if (page.blocks.length > 0 && (waiting || found.rolled)) return false;
    if (waiting) {
      await this.#end.sync(live, size);
      page.add(live.number, found.blocks);
    }
    page.more = found.full || found.rolled;
    if (page.blocks.length > 0 || !found.rolled) return false;
    await this.#end.next(live);
    return true;
  }

  /** Another process was further: its checkpoint says so. */
  async #reach(segment: number): Promise<void> {
    await this.#end.reachLast();
    if (segment > this.#end.live.number) throw damaged("the log ends before its end");
  }

  async readBytes(position: Position, offset: number, length: number): Promise<Uint8Array | "merged"> {
    try {
      const segment = segmentOf(position);
      if (segment > this.#end.live.number) await this.#reach(segment);
      const { live } = this.#end;
      const at = offsetOf(position) + offset;
      const bytes = segment === live.number ? live.readAt(at, length) : this.#closed.readAt(segment, at, length);
      if (bytes !== "merged" && bytes.length < length) throw damaged("the log ends before its end");
      return bytes;
    } catch (error) {
      throw toFailure(error);
    }
  }

  async forget(position: Position): Promise<void> {
    try {
      await this.#closed.forget(Math.min(segmentOf(position), this.#end.live.number));
    } catch (error) {
      throw toFailure(error);
    }
  }

  bearWitness(witness: Witness): void {
    const { live } = this.#end;
    this.#mark.note({ witness, durable: positionOf(live.number, live.durable) });
  }

  watch(wake: () => void): () => void {
    try {
      const watcher = watch(this.#folder, { persistent: false }, wake);
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    } catch {
      // No watches left, or none on this platform: core's own polling finds every block, only later.
      return () => undefined;
    }
  }

  async close(): Promise<void> {
    this.#patience.close();
    this.#end.live.retire();
    this.#closed.close();
    this.archive.close();
    this.#mark.close();
  }
}

class Page implements LogPage {
  readonly blocks: LogBlock[] = [];
  next: Position;
  more = true;
  bytes = 0;

  constructor(from: Position) {
    this.next = from;
  }

  add(segment: number, blocks: readonly FoundBlock[]): void {
    for (const { offset, bytes, end } of blocks) {
      this.blocks.push({ position: positionOf(segment, offset), bytes });
      this.bytes += bytes.length;
      this.next = positionOf(segment, end);
    }
  }
}

function late(message: string): DriverFailure {
  return new DriverFailure("unavailable", `${message}: try again`);
}

import { closeSync, fstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import { damaged } from "./failure.ts";
import { openFile, type Publisher } from "./files.ts";
import { encodeLine } from "./framing.ts";
import { FORMAT, logFileName, logFileNumber, offsetOf, segmentOf } from "./layout.ts";
import { checkFirstLine, LiveSegment } from "./live-segment.ts";
import type { Mark } from "./mark.ts";
import { firstLine } from "./scan.ts";

export interface LogEndSettings {
  readonly folder: string;
  readonly publisher: Publisher;
  /** From so many bytes on the log goes on in another file. */
  readonly segmentBytes: number;
}

/** Where the log grows: the file that is live, and how another one follows it. */
export class LogEnd {
  live: LiveSegment;
  /** A sync failed: nobody knows what the disk holds. */
  failed: DriverFailure | undefined;
  readonly #settings: LogEndSettings;
  #rolling: Promise<void> | undefined;
  #advancing: Promise<void> | undefined;

  private constructor(settings: LogEndSettings, live: LiveSegment) {
    this.#settings = settings;
    this.live = live;
  }

  /** What the mark does not vouch for is made durable anew. */
  static async open(settings: LogEndSettings, mark: Mark | undefined): Promise<LogEnd> {
    let number = firstToOpen(settings.folder);
    let live: LiveSegment | "merged";
    for (; ; number++) {
      const trusted = mark !== undefined && segmentOf(mark.durable) === number ? offsetOf(mark.durable) : 0;
      live = await LiveSegment.open(settings.folder, number, trusted);
      // Merged since it was looked for: the log goes on behind it.
      if (live !== "merged") break;
    }
    const end = new LogEnd(settings, live);
    const last =
      mark !== undefined && segmentOf(mark.witness.position) === number ? offsetOf(mark.witness.position) : 0;
    if (last > live.headerEnd && last <= live.size) live.skipTo(last);
    await end.reachLast();
    return end;
  }

  /** Goes on to the file that the log ends with now. */
  async reachLast(): Promise<void> {
    for (;;) {
      const { live } = this;
      if (!live.rolled) live.refresh();
      if (!live.rolled) return;
      await this.next(live);
    }
  }

  /** The file to append to; undefined: the log must go on in another one first. */
  get ready(): LiveSegment | undefined {
    return this.live.rolled || this.live.size >= this.#settings.segmentBytes ? undefined : this.live;
  }

  /** The file to append to. */
  async forWriting(): Promise<LiveSegment> {
    while (this.ready === undefined) await (this.live.rolled ? this.next(this.live) : this.#roll(this.live));
    return this.live;
  }

  /** Says whether a block that was written in this same turn is in the log, once all that was found is durable. */
  settle(live: LiveSegment, block: Uint8Array, written: boolean): Promise<boolean> {
    return this.#guard(live, async () => {
      const there = live.holds(block, written);
      await live.syncAppended();
      return there;
    });
  }

  /** Makes durable what lies in front of `upTo`. */
  sync(live: LiveSegment, upTo: number): Promise<void> {
    return this.#guard(live, () => live.sync(upTo));
  }

  /** Goes on to the file behind `live`, which ends with the line that says so. */
  async next(live: LiveSegment): Promise<void> {
    if (this.live !== live) return;
    this.#advancing ??= this.#advance(live).finally(() => {
      this.#advancing = undefined;
    });
    await this.#advancing;
  }

  async #advance(live: LiveSegment): Promise<void> {
    // Nothing is written to the next file before all of this one is durable.
    await this.sync(live, live.size);
    for (let number = live.number + 1; ; number++) {
      const next = await LiveSegment.open(this.#settings.folder, number, 0);
      if (next === "merged") continue;
      this.live = next;
      live.retire();
      return;
    }
  }

  async #roll(live: LiveSegment): Promise<void> {
    this.#rolling ??= this.#appendNext(live).finally(() => {
      this.#rolling = undefined;
    });
    await this.#rolling;
  }

  /** The next file is there, durable and empty, before the line that names it. */
  async #appendNext(live: LiveSegment): Promise<void> {
    const { folder, publisher } = this.#settings;
    const number = live.number + 1;
    const header = encodeLine({ log: "segment", number, format: FORMAT });
    await publisher.create(join(folder, logFileName(number)), header);
    // Meanwhile another process may have rolled on, and this one gone with it: its descriptors are closed, or another's.
    if (this.live !== live) return;
    live.tell({ log: "next", number });
    live.refresh();
  }

  async #guard<T>(live: LiveSegment, work: () => Promise<T>): Promise<T> {
    if (this.failed !== undefined) throw this.failed;
    try {
      return await work();
    } catch (error) {
      this.failed ??= this.#tellOfFailure(live, error);
      throw this.failed;
    }
  }

  #tellOfFailure(live: LiveSegment, cause: unknown): DriverFailure {
    try {
      live.tell({ log: "sync failed", from: live.durable });
    } catch {
      // The others rely on it where they are not told by the system itself. Nothing more can be done.
    }
    return new DriverFailure("reopen", "a sync to disk failed: close this store and open it again", { cause });
  }
}

/**
 * The last file, or the one before: a file may exist before the one in front of it names it. Once something is in it, all
 * in front of it is durable.
 */
function firstToOpen(folder: string): number {
  const last = readdirSync(folder).reduce((max, name) => Math.max(max, logFileNumber(name) ?? 0), 0);
  if (last === 0) throw damaged("the log is missing");
  if (last === 1 || inspect(folder, last) !== "empty") return last;
  return inspect(folder, last - 1) === "merged" ? last : last - 1;
}

function inspect(folder: string, number: number): "merged" | "empty" | "filled" {
  const fd = openFile(join(folder, logFileName(number)), "read");
  if (fd === undefined) throw damaged("a file of the log is missing");
  try {
    const first = firstLine(fd);
    if (checkFirstLine(first?.line, number) === "merged") return "merged";
    return fstatSync(fd).size > (first?.end ?? 0) ? "filled" : "empty";
  } finally {
    closeSync(fd);
  }
}

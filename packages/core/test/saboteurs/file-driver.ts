import { randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import {
  type Commit,
  type CommitOutcome,
  DriverFailure,
  type GloballyOrderedDriver,
  type ReadLimit,
  type StoredMessage,
  type StoredState,
  type Write,
} from "../../src/driver/index.ts";
import { type Line, readLine, writeLine } from "./lines.ts";
import { Model, type Refusal } from "./model.ts";

export const FORMAT = 1;

export interface FileOptions {
  readonly noticeMs: number;
  /** The file system's link(2). */
  readonly link: (from: string, to: string) => void;
  /** The newest format that it can read. */
  readonly newestFormat: number;
  /** Whether it syncs what it believes. A kill does not need it, a power cut does. */
  readonly sync: boolean;
  /** What it makes of a line: the saboteurs have another. */
  readonly readLine: (bytes: Buffer) => Line;
}

const defaults: FileOptions = { noticeMs: 25, link: linkSync, newestFormat: FORMAT, sync: true, readLine };

/** The first line of the file. */
interface Header {
  readonly format: number;
  readonly storeId: string;
}

/** Any other line: a commit as one process tried it. */
interface Attempt {
  readonly attempt: string;
  readonly writes: readonly Write[];
}

/**
 * The smallest honest durable driver: one file, a line for each commit, opened with O_APPEND. The order of the lines is
 * the order of the commits; every process applies them by the same rule, and so all of them decide alike, without a
 * lock. What is read is synced before it is believed, so that nobody builds on what a power cut could take away.
 */
export class FileDriver implements GloballyOrderedDriver {
  storeId = "";
  readonly transactions = "store";
  readonly durable = true;
  readonly noticeMs: number;
  readonly maxGroupBytes = 1 << 20;
  readonly #options: FileOptions;
  readonly #fd: number;
  readonly #model = new Model();
  readonly #mine = new Map<string, Refusal | undefined>();
  #position = 0;
  #failure: DriverFailure | undefined;

  constructor(path: string, options: Partial<FileOptions> = {}) {
    this.#options = { ...defaults, ...options };
    this.noticeMs = this.#options.noticeMs;
    createOnce(path, this.#options);
    this.#fd = openSync(path, "a+");
    try {
      this.#refresh();
      if (this.storeId === "") throw new DriverFailure("corruption", "the first line of the file is damaged");
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  async commit(commits: readonly Commit[]): Promise<readonly CommitOutcome[]> {
    const attempts = commits.map(({ writes }): Attempt => ({ attempt: randomUUID(), writes }));
    const failure = this.#failure;
    if (failure !== undefined) {
      return commits.map(() => ({ kind: failure.kind === "reopen" ? "reopen" : "notWritten", cause: failure }));
    }
    // The newline in front ends a line that a killed writer left torn.
    const block = Buffer.from(`\n${attempts.map(writeLine).join("")}`);
    try {
      if (writeSync(this.#fd, block) < block.length) throw new DriverFailure("unavailable", "the disk is full");
      this.#refresh(new Set(attempts.map(({ attempt }) => attempt)));
    } catch (cause) {
      const reopen = cause instanceof DriverFailure && cause.kind === "reopen";
      return commits.map(() => ({ kind: reopen ? "reopen" : "uncertain", cause }));
    }
    return attempts.map(({ attempt }): CommitOutcome => {
      const refusal = this.#mine.get(attempt);
      this.#mine.delete(attempt);
      return refusal === undefined ? { kind: "committed" } : { kind: "refused", ...refusal };
    });
  }

  async nextOffset(stream: string): Promise<number> {
    this.#refresh();
    return this.#model.streams.get(stream)?.length ?? 0;
  }

  async nextGlobalOffset(): Promise<number> {
    this.#refresh();
    return this.#model.global.length;
  }

  async readStream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    this.#refresh();
    return page(this.#model.streams.get(stream) ?? [], from, limit);
  }

  async readGlobal(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    this.#refresh();
    return page(this.#model.global, from, limit);
  }

  async readState(persistenceId: string): Promise<StoredState | undefined> {
    this.#refresh();
    return this.#model.states.get(persistenceId);
  }

  async readReceipt(persistenceId: string, revision: number): Promise<string | undefined> {
    this.#refresh();
    const state = this.#model.states.get(persistenceId);
    return state?.receipts[state.revision - revision];
  }

  async listStreams(prefix: string) {
    this.#refresh();
    const names = [...this.#model.streams].filter(([stream]) => stream.startsWith(prefix));
    return { items: names.map(([stream, messages]) => ({ stream, nextOffset: messages.length })), next: undefined };
  }

  async listStates(prefix: string) {
    this.#refresh();
    const live = [...this.#model.states].filter(([id, state]) => state.live && id.startsWith(prefix));
    return { items: live.map(([id]) => id), next: undefined };
  }

  async changed(): Promise<boolean> {
    return fstatSync(this.#fd).size > this.#position;
  }

  async close(): Promise<void> {
    closeSync(this.#fd);
  }

  /** Takes in what was appended since, by anyone; notes the outcomes of the attempts that are `mine`. */
  #refresh(mine: ReadonlySet<string> = new Set()): void {
    if (this.#failure !== undefined) throw this.#failure;
    const lines = this.#readLines();
    try {
      if (lines.length > 0 && this.#options.sync) fsyncSync(this.#fd);
    } catch (cause) {
      this.#fail(new DriverFailure("reopen", "a sync to disk failed", { cause }));
    }
    for (const line of lines) {
      if (line.kind === "damaged") this.#fail(new DriverFailure("corruption", "a line of the file is damaged"));
      if (line.kind === "whole") this.#take(line.value as Header | Attempt, mine);
    }
  }

  #take(line: Header | Attempt, mine: ReadonlySet<string>): void {
    if ("storeId" in line) {
      if (line.format > this.#options.newestFormat)
        this.#fail(new DriverFailure("unsupported", `the file has the newer format ${line.format}`));
      this.storeId = line.storeId;
      return;
    }
    const refusal = this.#model.apply(line.writes);
    if (mine.has(line.attempt)) this.#mine.set(line.attempt, refusal);
  }

  /** From here on every call fails in this way. */
  #fail(failure: DriverFailure): never {
    this.#failure = failure;
    throw failure;
  }

  /** The whole lines behind the position, which moves behind them. */
  #readLines() {
    const bytes = Buffer.alloc(fstatSync(this.#fd).size - this.#position);
    const length = bytes.length === 0 ? 0 : readSync(this.#fd, bytes, 0, bytes.length, this.#position);
    const lines = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0 && end < length; end = bytes.indexOf(10, start)) {
      if (end > start) lines.push(this.#options.readLine(bytes.subarray(start, end)));
      start = end + 1;
    }
    this.#position += start;
    return lines;
  }
}

/** The header appears whole or not at all: it is written beside, synced, and linked to its name. */
function createOnce(path: string, { link, sync }: FileOptions): void {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, writeLine({ format: FORMAT, storeId: randomUUID() }), { flush: sync });
  try {
    link(draft, path);
    if (sync) syncFolder(dirname(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM") throw new DriverFailure("unsupported", "the file system has no hard links");
    if (code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  fsyncSync(folder);
  closeSync(folder);
}

function page(messages: readonly StoredMessage[], from: number, limit: ReadLimit): readonly StoredMessage[] {
  const items: StoredMessage[] = [];
  let bytes = 0;
  for (const message of messages.slice(from, from + limit.maxRecords)) {
    bytes += message.record.length;
    if (items.length > 0 && bytes > limit.maxBytes) break;
    items.push(message);
  }
  return items;
}

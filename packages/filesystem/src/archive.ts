import { closeSync, fstatSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Archive, StoredCheckpoint } from "@holdfast/core/log";
import { codeOf, damaged, toFailure } from "./failure.ts";
import { Descriptors, openFile, type Publisher } from "./files.ts";
import { CHECKPOINT_FOLDER, SEGMENT_FOLDER } from "./layout.ts";
import { readAt } from "./scan.ts";

const MAX_DESCRIPTORS = 8;

/** Merged segments, a file each, and checkpoints, numbered: the highest is the one that counts. */
export class FolderArchive implements Archive {
  readonly #segments: string;
  readonly #checkpoints: string;
  readonly #publisher: Publisher;
  readonly #descriptors = new Descriptors(MAX_DESCRIPTORS);

  constructor(root: string, publisher: Publisher) {
    this.#segments = join(root, SEGMENT_FOLDER);
    this.#checkpoints = join(root, CHECKPOINT_FOLDER);
    this.#publisher = publisher;
  }

  writeSegment(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    return failing(() => this.#publisher.replace(this.#pathOf(name), pieces));
  }

  readSegment(name: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return failing(async () => {
      const fd = this.#descriptors.get(this.#pathOf(name));
      return fd === undefined ? undefined : readAt(fd, offset, length);
    });
  }

  removeSegment(name: string): Promise<void> {
    return failing(async () => {
      const path = this.#pathOf(name);
      this.#descriptors.drop(path);
      removeFile(path);
    });
  }

  listSegments(): Promise<readonly string[]> {
    return failing(async () =>
      readdirSync(this.#segments).flatMap((file) => /^([a-z0-9-]+)\.jsonl$/.exec(file)?.[1] ?? []),
    );
  }

  readCheckpoint(): Promise<StoredCheckpoint | undefined> {
    return failing(async () => {
      for (;;) {
        const newest = this.#numbers().at(-1);
        if (newest === undefined) return undefined;
        const fd = openFile(this.#checkpointPath(newest), "read");
        // Cleared away since: there is a newer one.
        if (fd === undefined) continue;
        try {
          return { version: String(newest), bytes: readAt(fd, 0, fstatSync(fd).size) };
        } finally {
          closeSync(fd);
        }
      }
    });
  }

  replaceCheckpoint(expected: string | undefined, bytes: Uint8Array): Promise<boolean> {
    return failing(async () => {
      const before = expected === undefined ? undefined : Number(expected);
      if (this.#numbers().at(-1) !== before) return false;
      const number = (before ?? 0) + 1;
      const path = this.#checkpointPath(number);
      if (!(await this.#publisher.create(path, bytes))) return false;
      // The name may have been free because it was cleared away: then there is a higher one.
      const numbers = this.#numbers();
      const first = numbers.at(-1) === number;
      for (const old of first ? numbers.slice(0, -1) : [number]) removeFile(this.#checkpointPath(old));
      return first;
    });
  }

  close(): void {
    this.#descriptors.close();
  }

  /** Of the checkpoints, ascending. */
  #numbers(): readonly number[] {
    const names = readdirSync(this.#checkpoints).filter((name) => /^\d{12}\.jsonl$/.test(name));
    return names.map((name) => Number(name.slice(0, 12))).sort((a, b) => a - b);
  }

  #checkpointPath(number: number): string {
    return join(this.#checkpoints, `${String(number).padStart(12, "0")}.jsonl`);
  }

  #pathOf(name: string): string {
    if (!/^[a-z0-9-]{1,100}$/.test(name)) throw damaged("the name of a merged segment is altered");
    return join(this.#segments, `${name}.jsonl`);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  }
}

import { randomUUID } from "node:crypto";
import type { Appended, Archive, CommitLog, LogBlock, LogPage, StoredCheckpoint } from "../../src/commit-log/index.ts";

/** What the handles of one log share. */
export interface MemoryWorld {
  readonly storeId: string;
  readonly blocks: (Uint8Array | undefined)[];
  readonly segments: Map<string, Uint8Array>;
  checkpoint: StoredCheckpoint | undefined;
}

export function memoryWorld(): MemoryWorld {
  return { storeId: randomUUID(), blocks: [], segments: new Map(), checkpoint: undefined };
}

/** The plainest honest log: a list of blocks. Its archive is a map. */
export class MemoryLog implements CommitLog {
  readonly storeId: string;
  readonly durable = true;
  readonly noticeMs = 25;
  readonly maxGroupBytes = 1024 * 1024;
  readonly start = 0;
  readonly mergeAfter: CommitLog["mergeAfter"];
  readonly archive: Archive;
  readonly #world: MemoryWorld;

  constructor(world: MemoryWorld, mergeAfter = { blocks: 1_024, bytes: 8 * 1024 * 1024 }) {
    this.#world = world;
    this.storeId = world.storeId;
    this.mergeAfter = mergeAfter;
    this.archive = new MemoryArchive(world);
  }

  async append(block: Uint8Array): Promise<Appended> {
    this.#world.blocks.push(block);
    return { kind: "appended" };
  }

  async read(from: number, maxBytes: number): Promise<LogPage | "merged"> {
    const blocks: LogBlock[] = [];
    let bytes = 0;
    for (let position = from; position < this.#world.blocks.length; position++) {
      const block = this.#world.blocks[position];
      if (block === undefined) return "merged";
      if (blocks.length > 0 && bytes + block.length > maxBytes) return { blocks, next: position, more: true };
      bytes += block.length;
      blocks.push({ position, bytes: block });
    }
    return { blocks, next: from + blocks.length, more: false };
  }

  async readBytes(position: number, offset: number, length: number): Promise<Uint8Array | "merged"> {
    return this.#world.blocks[position]?.subarray(offset, offset + length) ?? "merged";
  }

  async forget(position: number): Promise<void> {
    this.#world.blocks.fill(undefined, 0, position);
  }

  async close(): Promise<void> {}
}

class MemoryArchive implements Archive {
  readonly #world: MemoryWorld;

  constructor(world: MemoryWorld) {
    this.#world = world;
  }

  async writeSegment(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    this.#world.segments.set(name, Buffer.concat(pieces));
  }

  async readSegment(name: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#world.segments.get(name)?.subarray(offset, offset + length);
  }

  async removeSegment(name: string): Promise<void> {
    this.#world.segments.delete(name);
  }

  async listSegments(): Promise<readonly string[]> {
    return [...this.#world.segments.keys()];
  }

  async readCheckpoint(): Promise<StoredCheckpoint | undefined> {
    return this.#world.checkpoint;
  }

  async replaceCheckpoint(expected: string | undefined, bytes: Uint8Array): Promise<boolean> {
    if (this.#world.checkpoint?.version !== expected) return false;
    this.#world.checkpoint = { version: randomUUID(), bytes };
    return true;
  }
}

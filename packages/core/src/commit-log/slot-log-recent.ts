/** Newer blocks push older ones out beyond this many bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

interface Kept {
  readonly bytes: Uint8Array;
  pinned: boolean;
}

/** Blocks as they were written or read of late: what the engine reads next, and what the readers at the end ask for. */
export class RecentBlocks {
  readonly #blocks = new Map<number, Kept>();
  #bytes = 0;

  get(slot: number): Uint8Array | undefined {
    return this.#blocks.get(slot)?.bytes;
  }

  /** A pinned block stays, however many come, until it is unpinned. */
  put(slot: number, bytes: Uint8Array, pinned = false): void {
    if (this.#blocks.has(slot)) return;
    this.#blocks.set(slot, { bytes, pinned });
    this.#bytes += bytes.length;
    for (const [oldest, kept] of this.#blocks) {
      if (this.#bytes <= MAX_BYTES) return;
      if (kept.pinned) continue;
      this.#blocks.delete(oldest);
      this.#bytes -= kept.bytes.length;
    }
  }

  unpin(slot: number): void {
    const kept = this.#blocks.get(slot);
    if (kept) kept.pinned = false;
  }
}

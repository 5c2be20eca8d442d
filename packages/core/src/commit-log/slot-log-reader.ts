import { DriverFailure } from "../driver/driver-failure.ts";
import type { LogBlock, LogPage, Position } from "./commit-log.ts";
import { RecentBlocks } from "./slot-log-recent.ts";
import { HEAD_BYTES, isStub, stubFor } from "./slot-log-stub.ts";
import type { Slots } from "./slots.ts";

/** How many slots are read at once. */
const PARALLEL = 16;

/**
 * Reads slots, each as seldom as can be. Slots are taken in order, so all in front of a taken one are taken; what a look
 * for the end met on its way is not read again.
 */
export class SlotReader {
  readonly #slots: Slots;
  readonly #recent = new RecentBlocks();
  readonly #underWay = new Map<number, Promise<Uint8Array | undefined>>();
  #tail = 0;
  #begin: number | undefined;
  #seenBlocks = 0;
  #seenBytes = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** The first slot that is not known to be taken. */
  get tail(): number {
    return this.#tail;
  }

  /** Where the first page began: what lies in front was merged before this log was opened. */
  get begin(): number {
    return this.#begin ?? 0;
  }

  taken(slot: number): void {
    this.#tail = Math.max(this.#tail, slot + 1);
  }

  /** Our own block, kept until it is read: a lone writer reads nothing back. */
  wrote(slot: number, bytes: Uint8Array): void {
    this.taken(slot);
    this.#recent.put(slot, bytes, true);
  }

  /** A slot's bytes; undefined if it was free at some moment since this was called. */
  async block(slot: number): Promise<Uint8Array | undefined> {
    // A look that began before this call may have found the slot free too early: its answer counts only if it found a block.
    const earlier = await this.#underWay.get(slot)?.catch(() => undefined);
    return earlier ?? this.#recent.get(slot) ?? this.#underWay.get(slot) ?? this.#ask(slot);
  }

  /** The bytes of a slot that is known to be taken. */
  async takenBlock(slot: number): Promise<Uint8Array> {
    const bytes = await this.block(slot);
    if (bytes) return bytes;
    throw new DriverFailure("corruption", `slot ${slot} of the log is gone: restore the store from a copy`);
  }

  /** Begins to read a slot that may be needed soon. */
  lookAhead(slot: number): void {
    this.block(slot).catch(() => undefined);
  }

  /** Brings {@link tail} to the end of the log: of g new slots it reads some, and finds at most 1 + log2(g) free. */
  async findTail(): Promise<void> {
    const from = this.#tail;
    let free = from;
    for (let step = 1; ; step *= 2) {
      if (!(await this.block(free))) break;
      free = from - 1 + 2 * step;
    }
    while (this.#tail < free) {
      const middle = Math.floor((this.#tail + free) / 2);
      if (!(await this.block(middle))) free = middle;
    }
  }

  async page(from: Position, maxBytes: number): Promise<LogPage | "merged"> {
    this.#begin ??= from;
    // A position is given out only behind what was there.
    if (from > 0) this.taken(from - 1);
    const blocks: LogBlock[] = [];
    let bytes = 0;
    let next = from;
    let looked = false;
    while (bytes < maxBytes) {
      if (next === this.#tail && !looked) {
        looked = true;
        await this.findTail();
      }
      if (next === this.#tail) break;
      for (const block of await this.#some(next, maxBytes - bytes)) {
        if (isStub(block)) return blocks.length === 0 ? "merged" : { blocks, next, more: true };
        if (bytes >= maxBytes) break;
        blocks.push({ position: next, bytes: block });
        this.#recent.unpin(next);
        bytes += block.length;
        next += 1;
      }
    }
    return { blocks, next, more: bytes >= maxBytes };
  }

  async part(slot: number, offset: number, length: number): Promise<Uint8Array | "merged"> {
    // So far in a stub has nothing: that a slot was merged away shows by what is missing.
    if (offset >= HEAD_BYTES && !this.#recent.get(slot)) {
      const part = await this.#slots.readPart?.(slot, offset, length);
      if (part?.length === length) return part;
    }
    const block = await this.takenBlock(slot);
    if (isStub(block)) return "merged";
    if (block.length >= offset + length) return block.subarray(offset, offset + length);
    throw new DriverFailure("corruption", `slot ${slot} of the log is too short: restore the store from a copy`);
  }

  /** The stub that may replace a taken slot; undefined where there is one already. */
  async stub(slot: number): Promise<Uint8Array | undefined> {
    const kept = this.#recent.get(slot);
    return stubFor(kept ?? (await this.#slots.readPart?.(slot, 0, HEAD_BYTES)) ?? (await this.takenBlock(slot)));
  }

  /** As many taken slots from `from` on as will fill `maxBytes`, by the size of those seen. */
  #some(from: number, maxBytes: number): Promise<readonly Uint8Array[]> {
    const enough = Math.ceil((maxBytes * this.#seenBlocks) / Math.max(1, this.#seenBytes));
    const count = Math.max(1, Math.min(enough, PARALLEL, this.#tail - from));
    return Promise.all(Array.from({ length: count }, (_, index) => this.takenBlock(from + index)));
  }

  #ask(slot: number): Promise<Uint8Array | undefined> {
    const asked = this.#fetch(slot).finally(() => this.#underWay.delete(slot));
    this.#underWay.set(slot, asked);
    return asked;
  }

  async #fetch(slot: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#slots.read(slot);
    if (bytes === undefined) return undefined;
    this.taken(slot);
    this.#recent.put(slot, bytes);
    this.#seenBlocks += 1;
    this.#seenBytes += bytes.length;
    return bytes;
  }
}

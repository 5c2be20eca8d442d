import type { Refusal } from "./apply.ts";
import { asBuffer, type Block, parseBlock } from "./block.ts";
import type { CommitLog, LogBlock, Position } from "./commit-log.ts";
import type { View } from "./view.ts";

const CATCH_UP_BYTES = 1024 * 1024;

/** The outcomes of a block's commits, in order; undefined: it took effect. */
export type Decisions = readonly (Refusal | undefined)[];

/** A block of this process, as it was sent. */
interface OwnBlock {
  readonly block: Block;
  readonly bytes: Uint8Array;
  /** `skips` of the view when it was sent. */
  readonly skips: number;
}

/** Keeps a view up with its log. */
export class Follower {
  readonly #log: CommitLog;
  readonly #view: View;
  readonly #merged: (position: Position) => Promise<void>;
  /** Own blocks on their way. A look for someone else may come upon them before the reply to the append does. */
  readonly #own = new Map<string, OwnBlock & { decisions: Decisions | undefined }>();
  #looking: Promise<void> | undefined;
  /** `#looking`, where it goes on to the log's end. */
  #fullLook: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  /** `merged` moves the view on where the log was merged away before it was read, or rejects. */
  constructor(log: CommitLog, view: View, merged: (position: Position) => Promise<void>) {
    this.#log = log;
    this.#view = view;
    this.#merged = merged;
  }

  /** When it resolves, all that lay in the log at the call is applied. All who call while a look is out share the next. */
  look(): Promise<void> {
    if (this.#looking === undefined) return this.#begin();
    this.#queued ??= this.#looking
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        // A page read on the way to an own block is no look at the end.
        return this.#fullLook ?? this.look();
      });
    return this.#queued;
  }

  /** Reads on to an expected block, as far as it and no further: so a lone append needs no look at the log's end. */
  async reach(block: Block): Promise<void> {
    // Mostly the own block comes next. Where it does not, this process may be far behind.
    for (let maxBytes = block.size; this.#isAwaited(block); maxBytes = CATCH_UP_BYTES) {
      const from = this.#view.position;
      const mine = this.#looking === undefined;
      await (this.#looking ?? this.#begin(maxBytes));
      // It is not there, though it was appended: whoever asks next finds out.
      if (mine && this.#view.position === from) return;
    }
  }

  expect(block: Block, bytes: Uint8Array): void {
    this.#own.set(block.id, { block, bytes, skips: this.#view.skips, decisions: undefined });
  }

  /** What was decided about an expected block; undefined: it was not met. It is expected no more. */
  decisionsOf(block: Block): Decisions | undefined {
    const own = this.#own.get(block.id);
    this.#own.delete(block.id);
    // Of two copies side by side the first may have taken effect among the blocks that were skipped.
    const skipped = own !== undefined && own.skips !== this.#view.skips;
    return skipped && own.decisions?.some((refusal) => refusal !== undefined) ? undefined : own?.decisions;
  }

  #isAwaited({ id }: Block): boolean {
    const own = this.#own.get(id);
    return own !== undefined && own.decisions === undefined && own.skips === this.#view.skips;
  }

  #begin(maxBytes?: number): Promise<void> {
    const looking = this.#catchUp(maxBytes).finally(() => {
      this.#looking = undefined;
      this.#fullLook = undefined;
    });
    this.#looking = looking;
    if (maxBytes === undefined) this.#fullLook = looking;
    return looking;
  }

  /** Up to the log's end, or for one page of `maxBytes`. */
  async #catchUp(maxBytes?: number): Promise<void> {
    const view = this.#view;
    for (;;) {
      const from = view.position;
      const page = await this.#log.read(from, maxBytes ?? CATCH_UP_BYTES);
      if (page === "merged") {
        // Where a checkpoint was taken over meanwhile, the view has moved on already.
        if (view.position === from) await this.#merged(from);
        continue;
      }
      // A checkpoint was taken over meanwhile, and what was read is in it.
      if (view.position !== from) continue;
      for (const block of page.blocks) this.#apply(block);
      view.position = page.next;
      if (page.blocks.length > 0 && view.last !== undefined) this.#log.bearWitness?.(view.last);
      if (!page.more || maxBytes !== undefined) return;
    }
  }

  #apply({ position, bytes }: LogBlock): void {
    const block = this.#sent(bytes) ?? parseBlock(asBuffer(bytes));
    const decisions = this.#view.apply(position, block);
    const own = this.#own.get(block.id);
    if (own !== undefined) own.decisions ??= decisions;
  }

  /** A log that gives back the very bytes that were sent saves parsing them. */
  #sent(bytes: Uint8Array): Block | undefined {
    for (const own of this.#own.values()) if (own.bytes === bytes) return own.block;
    return undefined;
  }
}

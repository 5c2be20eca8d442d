import { DriverFailure } from "../driver/driver-failure.ts";
import type { Appended } from "./commit-log.ts";
import type { Pace } from "./pace.ts";
import { Patience, TimeUp } from "./slot-log-patience.ts";
import type { SlotReader } from "./slot-log-reader.ts";
import { isSameBlock } from "./slot-log-stub.ts";
import type { Slots } from "./slots.ts";

/** A writer that found itself behind so many times in a row looks for the end before it tries again. */
const TIMES_BEHIND = 2;

/** Bytes that may lie in `slot`, or in the slot `unseen` in front of it, or come to lie there; and nowhere else. */
interface OpenAppend {
  readonly bytes: Uint8Array;
  readonly slot: number;
  /** It is taken, and nobody looked yet by whom. */
  readonly unseen: number | undefined;
}

/**
 * Puts blocks into slots, one at a time.
 *
 * A slot that is taken is lost: the same bytes are sent to the next one at once, while the winner is read, and the slots
 * behind it. Whoever read first and sent later, or went on by single steps, would stay behind for ever. A slot whose
 * reply is lost is sent again, to the same slot, until it is created or taken; what lies there then says whose it is. So
 * no request of ours can land anywhere any more once an append has ended, and a block lies in the log once.
 *
 * Where a transport repeats requests by itself, a block may be told that its slot is taken by its own first copy. That is
 * found out before the slot after the next is tried: at worst there are two copies side by side, and the second is
 * refused by what the first wrote.
 */
export class SlotWriter {
  readonly #slots: Slots;
  readonly #reader: SlotReader;
  readonly #pace: Pace;
  /** The last append, as long as nobody knows what became of it. */
  #open: OpenAppend | undefined;

  constructor(slots: Slots, reader: SlotReader, pace: Pace) {
    this.#slots = slots;
    this.#reader = reader;
    this.#pace = pace;
  }

  async append(bytes: Uint8Array, deadline: number): Promise<Appended> {
    if (this.#open && !isSameBlock(this.#open.bytes, bytes)) {
      return { kind: "notWritten", cause: new DriverFailure("unavailable", "an earlier block is not settled yet") };
    }
    try {
      await this.#pace.turn(deadline);
      await this.#place(bytes, new Patience(deadline));
      this.#open = undefined;
      return { kind: "appended" };
    } catch (cause) {
      if (cause instanceof DriverFailure && cause.kind === "reopen") return { kind: "reopen", cause };
      return { kind: this.#open ? "uncertain" : "notWritten", cause };
    }
  }

  /** Resolves when the block lies in the log; rejects with `#open` as far as it is known by then. */
  async #place(bytes: Uint8Array, patience: Patience): Promise<void> {
    let { slot, unseen }: Omit<OpenAppend, "bytes"> = this.#open ?? { slot: this.#reader.tail, unseen: undefined };
    let replyLost = this.#open !== undefined;
    for (let timesBehind = 0; ; ) {
      this.#open = { bytes, slot, unseen };
      const reply = await this.#create(slot, bytes, patience);
      if (reply === "created") return;
      if (unseen !== undefined && (await this.#holds(unseen, bytes, patience))) return;
      unseen = undefined;
      if (reply !== "taken") {
        if (reply.cause instanceof DriverFailure && !replyLost) {
          this.#open = undefined;
          throw reply.cause;
        }
        await patience.pause(reply.cause);
        replyLost = true;
        continue;
      }
      const inTime = patience.allows(this.#pace.createMs);
      timesBehind = this.#reader.tail > slot + 1 ? timesBehind + 1 : 0;
      if (inTime && !replyLost && timesBehind === 0) {
        unseen = slot;
        slot += 1;
      } else {
        if (await this.#holds(slot, bytes, patience)) return;
        this.#open = undefined;
        if (!inTime) throw new DriverFailure("unavailable", "others wrote first until the time was up: try again");
        if (timesBehind >= TIMES_BEHIND) await this.#told(() => this.#reader.findTail(), patience);
        slot = this.#reader.tail;
        replyLost = false;
      }
      for (const near of [slot - 1, slot, slot + 1]) this.#reader.lookAhead(near);
    }
  }

  /** What was answered, or the cause why nothing was. Rejects at the deadline, or where the log must be opened again. */
  async #create(
    slot: number,
    bytes: Uint8Array,
    patience: Patience,
  ): Promise<"created" | "taken" | { readonly cause: unknown }> {
    const sentAt = performance.now();
    try {
      const reply = await patience.within(this.#slots.create(slot, bytes));
      this.#pace.answered(performance.now() - sentAt);
      if (reply === "taken") {
        this.#reader.taken(slot);
      } else {
        this.#reader.wrote(slot, bytes);
        this.#pace.won(slot);
      }
      return reply;
    } catch (cause) {
      if (cause instanceof TimeUp || (cause instanceof DriverFailure && cause.kind === "reopen")) throw cause;
      return { cause };
    }
  }

  /** Whether a slot that is taken holds this block, or the stub of it. */
  async #holds(slot: number, bytes: Uint8Array, patience: Patience): Promise<boolean> {
    return isSameBlock(await this.#told(() => this.#reader.takenBlock(slot), patience), bytes);
  }

  /** Asks until it is told. */
  async #told<T>(ask: () => Promise<T>, patience: Patience): Promise<T> {
    for (;;) {
      try {
        return await patience.within(ask());
      } catch (cause) {
        const hopeless = cause instanceof DriverFailure && cause.kind !== "unavailable";
        if (hopeless || cause instanceof TimeUp) throw cause;
        await patience.pause(cause);
      }
    }
  }
}

import { seal } from "../../src/commit-log/seal.ts";
import type { Slots } from "../../src/commit-log/slots.ts";

export type Reply = "created" | "taken";
/** What becomes of one create: `apply` does what an honest store does. */
export type Step = (apply: () => Reply) => Promise<Reply>;

/** Slots in memory that follow a script, and count. Any number of logs may share one. */
export class ScriptedSlots implements Slots {
  readonly storeId = "slots";
  readonly durable: boolean = false;
  readonly noticeMs = 10;
  readonly maxGroupBytes = 1024 * 1024;
  readonly mergeAfter = { blocks: 1_000, bytes: 16 * 1024 * 1024 };
  readonly blocks = new Map<number, Uint8Array>();
  /** The requests, in the order sent: "create 0", "read 0", "part 0", "replace 0". */
  readonly calls: string[] = [];
  /** What the next creates meet; those behind are honest. */
  readonly script: Step[] = [];
  /** What the next reads of a slot meet; those behind are honest. */
  readonly readScript: (() => Promise<void>)[] = [];
  /** Slots that were created while the one in front was free. */
  readonly gaps: number[] = [];
  readsAtOnce = 0;
  mostReadsAtOnce = 0;

  async create(slot: number, bytes: Uint8Array): Promise<Reply> {
    this.calls.push(`create ${slot}`);
    if (slot > 0 && !this.blocks.has(slot - 1)) this.gaps.push(slot);
    const apply = () => this.apply(slot, bytes);
    const step = this.script.shift();
    return step === undefined ? apply() : step(apply);
  }

  apply(slot: number, bytes: Uint8Array): Reply {
    if (this.blocks.has(slot)) return "taken";
    this.blocks.set(slot, bytes);
    return "created";
  }

  async read(slot: number): Promise<Uint8Array | undefined> {
    this.calls.push(`read ${slot}`);
    this.readsAtOnce += 1;
    this.mostReadsAtOnce = Math.max(this.mostReadsAtOnce, this.readsAtOnce);
    try {
      // A copy, as any real store gives.
      const held = this.blocks.get(slot);
      const bytes = held && new Uint8Array(held);
      await this.readScript.shift()?.();
      await Promise.resolve();
      return bytes;
    } finally {
      this.readsAtOnce -= 1;
    }
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }

  /** Blocks of other writers, from the first free slot on. */
  fill(count: number, bytes = 0): void {
    for (let done = 0; done < count; done++) this.blocks.set(this.blocks.size, block(bytes));
  }

  /** The slots asked for by one kind of request. */
  slotsOf(kind: string): readonly number[] {
    return this.calls.filter((call) => call.startsWith(`${kind} `)).map((call) => Number(call.split(" ")[1]));
  }

  /** Where a block lies. */
  placesOf(bytes: Uint8Array): readonly number[] {
    return [...this.blocks].filter(([, held]) => Buffer.compare(held, bytes) === 0).map(([slot]) => slot);
  }
}

/** Slots that can be read in part and replaced by stubs. */
export class MergingSlots extends ScriptedSlots {
  async readPart(slot: number, offset: number, length: number): Promise<Uint8Array | undefined> {
    this.calls.push(`part ${slot}`);
    const held = this.blocks.get(slot);
    return held && new Uint8Array(held.subarray(offset, offset + length));
  }

  async replace(slot: number, stub: Uint8Array): Promise<void> {
    this.calls.push(`replace ${slot}`);
    if (!this.blocks.has(slot)) throw new Error("a stub for a slot that is free");
    this.blocks.set(slot, stub);
  }
}

let made = 0;

/** A block with an id of its own, and so many bytes behind its header. */
export function block(bodyBytes = 0): Buffer {
  made += 1;
  return seal(`"block":1,"id":"block-${made}","after":0,"commits":[]}\n${"x".repeat(bodyBytes)}`);
}

/** It takes effect, and the reply is lost. */
export const loseReply: Step = async (apply) => {
  apply();
  throw new Error("the reply was lost");
};

/** It does not take effect, and nobody knows. */
export const loseRequest: Step = async () => {
  throw new Error("the request was lost");
};

/** It takes effect, and nothing comes back. */
export const applyAndHang: Step = (apply) => {
  apply();
  return new Promise(() => undefined);
};

export const hang: Step = () => new Promise(() => undefined);

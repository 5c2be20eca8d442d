import type { CommitLog } from "../../src/commit-log/commit-log.ts";
import type { Network } from "./network.ts";

const HEAD_BYTES = 200;

/**
 * Holds what a log tells of its blocks against where they landed: one that was appended is there, one that was not
 * written never will be, and of none there are two copies, but for those that a transport made side by side.
 */
export class Landings {
  readonly #network: Network;
  readonly #slots = new Map<string, number>();
  readonly #notWritten = new Set<string>();

  constructor(network: Network) {
    this.#network = network;
  }

  landed(slot: number, block: Uint8Array): void {
    const id = idOf(block);
    if (this.#notWritten.has(id)) {
      this.#network.violate(`block ${id} landed in slot ${slot}, and its writer was told that it was not written`);
    }
    const other = this.#slots.get(id);
    if (other !== undefined && Math.abs(other - slot) > 1) {
      this.#network.violate(`block ${id} landed in slot ${slot}, and before in slot ${other}`);
    }
    this.#slots.set(id, slot);
  }

  watch(log: CommitLog): CommitLog {
    return {
      ...log,
      append: async (block, deadline) => {
        const appended = await log.append(block, deadline);
        const id = idOf(block);
        if (appended.kind === "appended" && !this.#slots.has(id)) {
          this.#network.violate(`block ${id} was told to be appended, and is nowhere`);
        }
        if (appended.kind === "notWritten") {
          if (this.#slots.has(id)) this.#network.violate(`block ${id} was told to be not written, and is there`);
          this.#notWritten.add(id);
        }
        return appended;
      },
    };
  }
}

function idOf(block: Uint8Array): string {
  const head = Buffer.from(block.subarray(0, HEAD_BYTES)).toString("latin1");
  return head.match(/"id":"([\w-]+)"/)?.[1] ?? "";
}

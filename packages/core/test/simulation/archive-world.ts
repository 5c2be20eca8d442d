import type { Archive, CommitLog, StoredCheckpoint } from "../../src/commit-log/commit-log.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { isLost, type Lost, type Network } from "./network.ts";

/** So little that merging and checkpoints never rest. */
export const MERGE_AFTER: CommitLog["mergeAfter"] = { blocks: 8, bytes: 64 * 1024 };
export const MERGE_AT_ONCE: CommitLog["mergeAfter"] = { blocks: 2, bytes: 3_000 };
export const MERGE_EACH: CommitLog["mergeAfter"] = { blocks: 1, bytes: 3_000 };

/** Segments and one checkpoint, in memory: what all handles share. */
export class ArchiveWorld {
  readonly segments = new Map<string, Uint8Array>();
  checkpoint: StoredCheckpoint | undefined;
  /** Told when a checkpoint takes effect. */
  onCheckpoint: () => void = () => undefined;
  readonly #names = new Set<string>();
  #versions = 0;

  handle(network: Network): Archive {
    return {
      writeSegment: (name, pieces) => {
        const copy = Uint8Array.from(Buffer.concat(pieces));
        return reply(network.write(`write segment ${name}`, () => this.#writeSegment(network, name, copy)));
      },
      readSegment: (name, offset, length) =>
        network.read(`segment ${name} ${offset}+${length}`, () =>
          this.segments.get(name)?.slice(offset, offset + length),
        ),
      removeSegment: (name) =>
        reply(
          network.write(`remove segment ${name}`, () => {
            this.segments.delete(name);
          }),
        ),
      listSegments: () => network.read("list segments", () => [...this.segments.keys()].reverse()),
      readCheckpoint: () => network.read("checkpoint", () => this.checkpoint),
      replaceCheckpoint: (expected, bytes) => {
        const copy = Uint8Array.from(bytes);
        return reply(network.write(`replace checkpoint ${expected}`, () => this.#replace(network, expected, copy)));
      },
    };
  }

  #writeSegment(network: Network, name: string, bytes: Uint8Array): void {
    const known = this.segments.get(name);
    if (known === undefined && this.#names.has(name)) {
      // A request that arrives a second time after its segment was removed: it leaves garbage, which is cleared away again.
      network.tell(() => `segment ${name} comes back`);
    }
    if (known !== undefined && Buffer.compare(known, bytes) !== 0) {
      network.violate(`SPI: segment ${name} was written again with other bytes`);
    }
    this.#names.add(name);
    this.segments.set(name, bytes);
  }

  #replace(network: Network, expected: string | undefined, bytes: Uint8Array): boolean {
    if (this.checkpoint?.version !== expected) {
      network.counts.lostCheckpointRaces += 1;
      return false;
    }
    this.#versions += 1;
    this.checkpoint = { version: `v${this.#versions}`, bytes };
    network.counts.checkpoints += 1;
    this.onCheckpoint();
    return true;
  }
}

async function reply<T>(sent: Promise<T | Lost>): Promise<T> {
  const answer = await sent;
  if (isLost(answer)) throw new DriverFailure("unavailable", "the archive did not answer");
  return answer;
}

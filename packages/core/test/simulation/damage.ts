import type { Random } from "../../src/conformance/random.ts";
import type { ArchiveWorld } from "./archive-world.ts";
import { LogWorld } from "./log-world.ts";
import type { SlotWorld } from "./slot-world.ts";

export interface Damage {
  readonly what: string;
  /** Makes it good again. */
  readonly mend: () => unknown;
}

/** Damages one stored thing; undefined where there was nothing to damage. */
export function damage(world: LogWorld | SlotWorld, random: Random): Damage | undefined {
  const drawn = random.next();
  if (drawn < 0.2) return damageCheckpoint(world.archive, random);
  if (drawn < 0.5) return damageSegment(world.archive, random);
  return world instanceof LogWorld ? damageBlock(world, random) : damageSlot(world, random);
}

function damageSlot({ slots }: SlotWorld, random: Random): Damage | undefined {
  const slot = random.integer(slots.size);
  const bytes = slots.get(slot);
  if (bytes === undefined) return undefined;
  slots.set(slot, flipped(bytes, random));
  return { what: `a bit of slot ${slot}`, mend: () => slots.set(slot, bytes) };
}

function damageBlock({ blocks, forgotten }: LogWorld, random: Random): Damage | undefined {
  const first = blocks.findIndex(({ position }) => position >= forgotten);
  if (first < 0) return undefined;
  const index = first + random.integer(blocks.length - first);
  const block = blocks[index];
  if (block === undefined) return undefined;
  const { position, bytes } = block;
  if (random.next() < 0.5) {
    blocks[index] = { position, bytes: flipped(bytes, random) };
    return {
      what: `a bit of the block at ${position}`,
      mend: () => {
        blocks[index] = block;
      },
    };
  }
  // Also the last one: of that only the witness knows.
  blocks.splice(index, 1);
  return { what: `the block at ${position} is gone`, mend: () => blocks.splice(index, 0, block) };
}

function damageCheckpoint(archive: ArchiveWorld, random: Random): Damage | undefined {
  const { checkpoint } = archive;
  if (checkpoint === undefined) return undefined;
  archive.checkpoint = { version: checkpoint.version, bytes: flipped(checkpoint.bytes, random) };
  return {
    what: "a bit of the checkpoint",
    mend: () => {
      archive.checkpoint = checkpoint;
    },
  };
}

function damageSegment({ segments }: ArchiveWorld, random: Random): Damage | undefined {
  const names = [...segments.keys()];
  const name = names[random.integer(names.length)];
  const bytes = name === undefined ? undefined : segments.get(name);
  if (name === undefined || bytes === undefined) return undefined;
  const mend = () => segments.set(name, bytes);
  const drawn = random.next();
  if (drawn < 0.2) {
    segments.delete(name);
    return { what: `segment ${name} is gone`, mend };
  }
  const short = drawn < 0.4;
  segments.set(name, short ? bytes.slice(0, random.integer(bytes.length)) : flipped(bytes, random));
  return { what: short ? `segment ${name} is cut short` : `a bit of segment ${name}`, mend };
}

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = random.integer(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(8));
  return copy;
}

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { driverFaults, type Faults } from "@holdfast/core/conformance";
import { seal } from "@holdfast/core/log";
import { FilesystemDataStore } from "@holdfast/filesystem";
import { Numbers } from "@holdfast/test-kit";

/** What the suite can't provoke through the public API. Places are closed when they are damaged or marked. */
export const faults: Faults = {
  ...driverFaults,
  async damage(place, seed) {
    damageStore(join(place, "store"), seed);
  },
  async markNewer(place) {
    const path = join(place, "store", "store.json");
    const { id } = JSON.parse(readFileSync(path, "utf8")) as { readonly id: string };
    writeFileSync(path, seal(`"format":99,"id":"${id}"}\n`));
  },
  // A file system of the kernel's own, on which nothing can be kept.
  openIncapable: () => FilesystemDataStore.open({ directory: "/proc/self/fdinfo" }),
};

/** Damages one file of a closed store, each kind as often as another; gives its name. */
export function damageStore(directory: string, seed: number): string {
  const numbers = new Numbers(seed);
  const kinds = ["log", "log", "segments", "checkpoints", ".", "."].map((folder) => filesIn(directory, folder));
  const filled = kinds.filter((files) => files.length > 0);
  const files = filled[numbers.below(filled.length)] ?? [];
  const file = files[numbers.below(files.length)] ?? "";
  const path = join(directory, file);
  const bytes = readFileSync(path);
  if (numbers.below(12) === 0) rmSync(path);
  else writeFileSync(path, damageBytes(bytes, numbers));
  return file;
}

function filesIn(directory: string, folder: string): readonly string[] {
  const entries = readdirSync(join(directory, folder), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
    .sort();
}

/** Bits flipped, bytes overwritten, ranges zeroed or moved, or the end cut off: where and how the numbers say. */
export function damageBytes(bytes: Buffer, numbers: Numbers): Buffer {
  const damaged = Buffer.from(bytes);
  const at = numbers.below(damaged.length);
  const length = 1 + numbers.below(numbers.below(2) === 0 ? 16 : 4096);
  switch (numbers.below(5)) {
    case 0:
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << numbers.below(8)), at);
      return damaged;
    case 1:
      for (let index = at; index < Math.min(at + length, damaged.length); index++)
        damaged.writeUInt8(numbers.below(256), index);
      return damaged;
    case 2:
      return damaged.fill(0, at, Math.min(at + length, damaged.length));
    case 3:
      // A stretch written to the wrong place.
      bytes.copy(damaged, numbers.below(damaged.length), at, Math.min(at + length, damaged.length));
      return damaged;
    default:
      return damaged.subarray(0, at);
  }
}

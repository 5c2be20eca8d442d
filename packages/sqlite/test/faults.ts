import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { driverFaults, type Faults } from "@holdfast/core/conformance";
import { SqliteDataStore } from "@holdfast/sqlite";
import { Numbers } from "@holdfast/test-kit";
import Database from "better-sqlite3";

/** What the suite can't provoke through the public API. Places are closed when they are damaged or marked. */
export const faults: Faults = {
  ...driverFaults,
  async damage(place, seed) {
    const file = join(place, "store.db");
    await writeFile(file, damageBytes(await readFile(file), seed));
  },
  async markNewer(place) {
    const db = new Database(join(place, "store.db"));
    const { id } = db.prepare("SELECT id FROM store").get() as { readonly id: string };
    db.prepare("UPDATE store SET format = 99, crc = ?").run(crc32(`99:${id}`));
    db.pragma("user_version = 99");
    db.close();
  },
  openIncapable: () => SqliteDataStore.open({ path: ":memory:" }),
};

/** Bits flipped, bytes overwritten, ranges zeroed or swapped, or the end cut off: where and how the seed says. */
export function damageBytes(bytes: Buffer, seed: number): Buffer {
  const numbers = new Numbers(seed);
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
    case 3: {
      // A page written to the wrong place.
      const pages = Math.floor(damaged.length / 4096);
      const from = numbers.below(pages) * 4096;
      bytes.copy(damaged, numbers.below(pages) * 4096, from, from + 4096);
      return damaged;
    }
    default:
      return damaged.subarray(0, Math.max(1, at));
  }
}

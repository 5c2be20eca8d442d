import { mkdirSync, statfsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TMPFS = 0x01021994;
const CACHE = fileURLToPath(new URL("../node_modules/.cache/places", import.meta.url));

/** A fresh empty folder on a real disk. */
export async function freshFolder(): Promise<string> {
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtemp(join(tmpdir(), "holdfast-test-"));
  mkdirSync(CACHE, { recursive: true });
  return mkdtemp(join(CACHE, "place-"));
}

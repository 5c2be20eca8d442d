import { DriverFailure } from "../driver/driver-failure.ts";
import { asBuffer } from "./block.ts";
import { SEAL_BYTES, seal } from "./seal.ts";

/**
 * What stands in a slot whose block was merged away, so that its name stays taken, and a writer that slept since before
 * still learns whose block it was:
 *
 *     {"crc":"0a1b2c3d","size":"00000050","stub":1,"id":"..."}
 */
const STUB_VERSION = 1;
/** No stub is longer, and the id of a block stands within so many of its first bytes. */
export const HEAD_BYTES = 128;

/** The stub for a block, made of the block's first {@link HEAD_BYTES} bytes; undefined where they are a stub already. */
export function stubFor(head: Uint8Array): Uint8Array | undefined {
  const { kind, id } = identity(head);
  return kind === "stub" ? undefined : seal(`"stub":${STUB_VERSION},"id":"${id}"}\n`);
}

export function isStub(bytes: Uint8Array): boolean {
  return bytes.length <= HEAD_BYTES && identity(bytes).kind === "stub";
}

/** Whether a slot's bytes are this block, or the stub of it. */
export function isSameBlock(stored: Uint8Array, block: Uint8Array): boolean {
  return identity(stored).id === identity(block).id;
}

function identity(bytes: Uint8Array): { readonly kind: string; readonly id: string } {
  const head = asBuffer(bytes).toString("latin1", SEAL_BYTES, HEAD_BYTES);
  const [, kind, id] = head.match(/^"(block|stub)":\d+,"id":"([\w-]+)"/) ?? [];
  if (kind === undefined || id === undefined) {
    throw new DriverFailure("corruption", "a slot of the log is damaged: restore the store from a copy");
  }
  return { kind, id };
}

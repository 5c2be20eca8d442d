import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Commit } from "../driver/commit.ts";
import { DriverFailure } from "../driver/driver-failure.ts";
import type { Witness } from "./commit-log.ts";
import { SEAL_BYTES, seal, sealedCrc, wholeSize } from "./seal.ts";

/**
 * The stored form of a block: a group of commits, as lines of JSON.
 *
 *     {"crc":"0a1b2c3d","size":"000001f4","block":1,"id":"...","after":[position,chain],"commits":[[write,...],...]}
 *     record
 *     ...                                  the records and receipts of all writes, in order, a line each
 *
 *     write    ["m",stream,offset,count,bytes]                      count records in so many bytes, line feeds included
 *              ["s",persistence id,expected revision,live,bytes]    the record and the receipt; live 0: a deletion
 *
 * `crc` and `size`: see seal.ts. `after` is the last block that the writer had applied, and the chain up to it: where
 * that differs, something in front was damaged; 0: the writer had applied nothing. A block holds no position and no
 * global offset: both come from the order of the log. This form, and the rule by which it is applied (apply.ts), are
 * part of the stored format: whatever this version must not take for its own has another number at "block".
 */
const BLOCK_VERSION = 1;

export type WriteHeader =
  | readonly [kind: "m", stream: string, offset: number, count: number, bytes: number]
  | readonly [kind: "s", persistenceId: string, expectedRevision: number, live: 0 | 1, bytes: number];

export type CommitHeader = readonly WriteHeader[];

export interface Block {
  readonly id: string;
  /** undefined: its writer had applied nothing. */
  readonly after: Witness | undefined;
  readonly commits: readonly CommitHeader[];
  /** Where its records begin. */
  readonly bodyAt: number;
  readonly size: number;
  readonly crc: string;
}

/** What a commit writes, without the records. */
export function commitHeader(commit: Commit): CommitHeader {
  return commit.writes.map((write): WriteHeader => {
    if (write.kind === "append") {
      let bytes = 0;
      for (const record of write.records) bytes += Buffer.byteLength(record) + 1;
      return ["m", write.stream, write.offset, write.records.length, bytes];
    }
    const bytes = Buffer.byteLength(write.record) + Buffer.byteLength(write.receipt) + 2;
    return ["s", write.persistenceId, write.expectedRevision, write.live ? 1 : 0, bytes];
  });
}

export function encodeBlock(
  commits: readonly Commit[],
  headers: readonly CommitHeader[],
  after: Witness | undefined,
): { readonly block: Block; readonly bytes: Buffer } {
  const id = randomUUID();
  const chained = after === undefined ? "0" : `[${after.position},${after.chain}]`;
  const head = `"block":${BLOCK_VERSION},"id":"${id}","after":${chained},"commits":${JSON.stringify(headers)}}\n`;
  let body = "";
  for (const commit of commits) {
    for (const write of commit.writes) {
      body += write.kind === "append" ? `${write.records.join("\n")}\n` : `${write.record}\n${write.receipt}\n`;
    }
  }
  const bytes = seal(head + body);
  const bodyAt = SEAL_BYTES + Buffer.byteLength(head);
  return { block: { id, after, commits: headers, bodyAt, size: bytes.length, crc: sealedCrc(bytes) }, bytes };
}

/** The header of a block. Throws DriverFailure: "corruption", or "unsupported" for a newer version. */
export function parseBlock(bytes: Uint8Array): Block {
  const buffer = asBuffer(bytes);
  if (wholeSize(buffer, 0) !== buffer.length) throw damagedBlock();
  const bodyAt = buffer.indexOf(10) + 1;
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(buffer.toString("utf8", 0, bodyAt)) as Record<string, unknown>;
  } catch {
    throw damagedBlock();
  }
  if (header["block"] !== BLOCK_VERSION) {
    throw new DriverFailure("unsupported", "the log has blocks of a newer format: open it with a newer version");
  }
  const after = header["after"] as readonly [number, number] | 0;
  return {
    id: header["id"] as string,
    after: after === 0 ? undefined : { position: after[0], chain: after[1] },
    commits: header["commits"] as readonly CommitHeader[],
    bodyAt,
    size: buffer.length,
    crc: header["crc"] as string,
  };
}

/** The running checksum over blocks: of the blocks before, and one more. */
export function extendChain(chain: number, block: Block): number {
  return crc32(block.crc, chain);
}

export function damagedBlock(): DriverFailure {
  return new DriverFailure("corruption", "a block of the log is damaged: restore the store from a copy");
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

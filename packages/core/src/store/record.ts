import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { RecordedEnvelope } from "../contract/envelope.ts";
import { CorruptionError } from "../contract/errors.ts";
import type { Commit, Write } from "../driver/commit.ts";
import type { StoredMessage, StoredState } from "../driver/store-driver.ts";
import type { Draft } from "./draft.ts";

/**
 * The stored form of messages and states: one line of JSON each, that begins with its checksum.
 *
 *     message   [crc32, commit id, part, envelope]              part: the content hash in the first message of a write,
 *                                                                and 1, 2, ... in those that follow it
 *     state     [crc32, commit id, content hash, updatedAt, state]           without the last: deleted
 *     receipt   [crc32, commit id, content hash]
 *
 * The checksum is over the text behind it and over the place (kind, name, offset or revision), so that a record that
 * was altered, swapped or moved is found out. Every backend keeps these texts: their form is part of the stored format.
 */

const KIND = { message: 0x6d000000, state: 0x73000000, receipt: 0x72000000 } as const;
/** An odd factor spreads the offset over the seed, one to one: neighbours never share a checksum. */
const SPREAD = 0x9e3779b1;

/** Who wrote what is at a place. */
export interface Origin {
  readonly commitId: string;
  /** undefined: a message that is not the first of its write. */
  readonly contentHash: string | undefined;
}

/** A commit, and the hash that tells it from another under the same id. */
export type SealedCommit = Commit & { readonly contentHash: string };

export function sealCommit(drafts: readonly Draft[], commitId: string): SealedCommit {
  const contentHash = hashContent(drafts);
  const id = JSON.stringify(commitId);
  const first = `${id},"${contentHash}"`;
  let bytes = 0;
  const writes = drafts.map((draft): Write => {
    bytes += draft.bytes + 64 * draft.count;
    if (draft.kind === "append") {
      const { stream, offset } = draft;
      const name = nameSeed("message", stream);
      const records = draft.envelopes.map((envelope, index) =>
        seal(placeSeed(name, offset + index), `${index === 0 ? first : `${id},${index}`},${envelope}]`),
      );
      return { kind: "append", stream, offset, records };
    }
    const { persistenceId, expectedRevision, state, updatedAt } = draft;
    const revision = expectedRevision + 1;
    const tail = state === undefined ? "]" : `,${state}]`;
    const record = seal(placeSeed(nameSeed("state", persistenceId), revision), `${first},"${updatedAt}"${tail}`);
    const receipt = seal(placeSeed(nameSeed("receipt", persistenceId), revision), `${first}]`);
    return { kind: "state", persistenceId, expectedRevision, record, live: state !== undefined, receipt };
  });
  return { id: commitId, contentHash, writes, bytes };
}

/** What the caller passed, as encoded; the clock's reading is no part of it. 132 bits of SHA-256. */
function hashContent(drafts: readonly Draft[]): string {
  let content = "";
  for (const draft of drafts) {
    content +=
      draft.kind === "append"
        ? `append ${JSON.stringify([draft.stream, draft.offset])}\n${draft.envelopes.join("\n")}\n`
        : `state ${JSON.stringify([draft.persistenceId, draft.expectedRevision])}\n${draft.state ?? "deleted"}\n`;
  }
  return hash("sha256", content, "base64url").slice(0, 22);
}

export function decodeMessage(stored: StoredMessage): RecordedEnvelope {
  const { stream, offset, globalOffset, record } = stored;
  const fields = open("message", stream, offset, record);
  const envelope = fields[3] as { readonly bytes?: string };
  const place = { stream, offset, globalOffset };
  // The text was parsed for this reader alone: its object is filled up, not copied.
  if (envelope.bytes === undefined) return Object.assign(envelope, place) as RecordedEnvelope;
  const { bytes, ...rest } = envelope;
  return { ...rest, data: new Uint8Array(Buffer.from(bytes, "base64")), ...place } as unknown as RecordedEnvelope;
}

export function messageOrigin(stored: StoredMessage): Origin {
  const [, commitId, part] = open("message", stored.stream, stored.offset, stored.record);
  return { commitId: commitId as string, contentHash: typeof part === "string" ? part : undefined };
}

export function decodeState(
  persistenceId: string,
  stored: StoredState,
): { readonly state: unknown; readonly updatedAt: string } {
  const fields = open("state", persistenceId, stored.revision, stored.record);
  return { state: fields[4], updatedAt: fields[3] as string };
}

export function receiptOrigin(persistenceId: string, revision: number, receipt: string): Origin {
  const [, commitId, contentHash] = open("receipt", persistenceId, revision, receipt);
  return { commitId: commitId as string, contentHash: contentHash as string };
}

function seal(seed: number, body: string): string {
  return `[${crc32(body, seed)},${body}`;
}

function open(kind: keyof typeof KIND, name: string, offset: number, record: string): unknown[] {
  const checksum = crc32(record.slice(record.indexOf(",") + 1), placeSeed(nameSeed(kind, name), offset));
  try {
    const fields: unknown = JSON.parse(record);
    if (Array.isArray(fields) && fields[0] === checksum) return fields;
  } catch {
    // Not JSON: damaged as well.
  }
  throw damaged(kind, name, offset);
}

/** Names come back again and again: looking one up costs less than its checksum. */
const nameChecksums = new Map<string, number>();
const MAX_REMEMBERED_NAMES = 16_384;

function nameSeed(kind: keyof typeof KIND, name: string): number {
  let seed = nameChecksums.get(name);
  if (seed === undefined) {
    seed = crc32(name);
    if (nameChecksums.size === MAX_REMEMBERED_NAMES) nameChecksums.clear();
    nameChecksums.set(name, seed);
  }
  return seed ^ KIND[kind];
}

function placeSeed(nameSeed: number, offset: number): number {
  return (nameSeed ^ Math.imul(offset, SPREAD) ^ Math.floor(offset / 2 ** 32)) >>> 0;
}

function damaged(kind: keyof typeof KIND, name: string, offset: number): CorruptionError {
  const place = kind === "message" ? `offset ${offset} of stream` : `revision ${offset} of state`;
  return new CorruptionError(
    `the stored bytes of ${place} ${JSON.stringify(name)} are damaged: restore the store from a copy`,
  );
}

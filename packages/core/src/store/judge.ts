import {
  type HoldfastError,
  InvalidArgumentError,
  OffsetConflictError,
  RevisionConflictError,
} from "../contract/errors.ts";
import type { CommitOutcome, Write } from "../driver/commit.ts";
import type { StoreDriver } from "../driver/store-driver.ts";
import { messageOrigin, type Origin, receiptOrigin, type SealedCommit } from "./record.ts";

type Refusal = CommitOutcome & { readonly kind: "refused" };

type Verdict =
  /** An earlier try of this very commit is what took the place. */
  | { readonly kind: "committed" }
  | { readonly kind: "conflict"; readonly error: HoldfastError }
  /** An earlier try may still land, or the place no longer tells who took it. */
  | { readonly kind: "unknown" };

/**
 * What a refusal means. A commit that may have been sent before is compared with who holds its places before it is
 * called a conflict; an outcome once lost is decided only by proof.
 */
export async function judge(
  driver: StoreDriver,
  commit: SealedCommit,
  refusal: Refusal,
  past: { readonly repeat: boolean; readonly replyLost: boolean },
): Promise<Verdict> {
  const write = writeOf(commit, refusal);
  const conflict: Verdict = { kind: "conflict", error: conflictError(write, refusal.actual) };
  if (!past.repeat) return conflict;
  let takenByOther = false;
  for (const place of commit.writes) {
    const holder = await holderOf(driver, place);
    if (holder === undefined) continue;
    if (holder.commitId !== commit.id || holder.contentHash === undefined) {
      takenByOther = true;
      continue;
    }
    if (holder.contentHash === commit.contentHash) return { kind: "committed" };
    const error = new InvalidArgumentError("the commitId was used for other content at this place: take a new one");
    return { kind: "conflict", error };
  }
  // A place that another took can't become ours: no try of this commit can land any more.
  if (takenByOther) return conflict;
  if (past.replyLost) return { kind: "unknown" };
  return { kind: "conflict", error: conflictError(write, await revisionNow(driver, write, refusal.actual)) };
}

/** Nobody knows any more who took the place: the conflict then tells how many revisions lie over it by now, not how many did. */
async function revisionNow(driver: StoreDriver, write: Write, actual: number): Promise<number> {
  if (write.kind === "append" || actual <= write.expectedRevision) return actual;
  return (await driver.readState(write.persistenceId))?.revision ?? actual;
}

/** Who holds the place of a write. undefined: nobody, or it is forgotten because too many revisions lie over it; neither proves anything. */
async function holderOf(driver: StoreDriver, write: Write): Promise<Origin | undefined> {
  if (write.kind === "append") {
    const [holder] = await driver.readStream(write.stream, write.offset, { maxRecords: 1, maxBytes: 1 });
    return holder && messageOrigin(holder);
  }
  const { persistenceId, expectedRevision } = write;
  const revision = expectedRevision + 1;
  const receipt = await driver.readReceipt(persistenceId, revision);
  return receipt === undefined ? undefined : receiptOrigin(persistenceId, revision, receipt);
}

function writeOf(commit: SealedCommit, refusal: Refusal): Write {
  const write = commit.writes[refusal.write];
  if (write === undefined) throw new RangeError("a refusal names one of the commit's writes");
  return write;
}

/** The conflict of a write with what is stored, or with an earlier write of its own transaction. */
export function conflictError(
  write:
    | { readonly kind: "append"; readonly stream: string; readonly offset: number }
    | Pick<Write & { kind: "state" }, "kind" | "persistenceId" | "expectedRevision">,
  actual: number,
): HoldfastError {
  if (write.kind === "append") {
    const { stream, offset } = write;
    return new OffsetConflictError(
      `offset ${offset} of stream ${JSON.stringify(stream)} is not the next unused one, which is ${actual}: read what is there and append again`,
      { stream, offset, nextOffset: actual },
    );
  }
  const { persistenceId, expectedRevision } = write;
  return new RevisionConflictError(
    `state ${JSON.stringify(persistenceId)} is at revision ${actual}, not ${expectedRevision}: load it and write again`,
    { persistenceId, expectedRevision, actualRevision: actual },
  );
}

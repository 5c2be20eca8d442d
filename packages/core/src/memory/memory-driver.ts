import { randomUUID } from "node:crypto";
import type { Commit, CommitOutcome, Write } from "../driver/commit.ts";
import type { GloballyOrderedDriver, Page, ReadLimit, StoredMessage, StoredState } from "../driver/store-driver.ts";

const KEPT_RECEIPTS = 9;

interface State extends StoredState {
  readonly live: boolean;
  /** Newest first. */
  readonly receipts: readonly string[];
}

/** The SPI in its plainest form: the contract's reference for adapter authors, and the store for tests. */
export class MemoryDriver implements GloballyOrderedDriver {
  readonly storeId = randomUUID();
  readonly transactions = "store";
  readonly durable = false;
  readonly noticeMs = 0;
  readonly maxGroupBytes = Number.POSITIVE_INFINITY;
  readonly #messages: StoredMessage[] = [];
  readonly #streams = new Map<string, StoredMessage[]>();
  readonly #states = new Map<string, State>();

  async commit(commits: readonly Commit[]): Promise<readonly CommitOutcome[]> {
    return commits.map((commit) => {
      const refusal = this.#check(commit.writes);
      if (refusal) return refusal;
      for (const write of commit.writes) this.#apply(write);
      return { kind: "committed" };
    });
  }

  async nextOffset(stream: string): Promise<number> {
    return this.#streams.get(stream)?.length ?? 0;
  }

  async readStream(stream: string, from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    return take(this.#streams.get(stream) ?? [], from, limit);
  }

  async nextGlobalOffset(): Promise<number> {
    return this.#messages.length;
  }

  async readGlobal(from: number, limit: ReadLimit): Promise<readonly StoredMessage[]> {
    return take(this.#messages, from, limit);
  }

  async readState(persistenceId: string): Promise<StoredState | undefined> {
    return this.#states.get(persistenceId);
  }

  async readReceipt(persistenceId: string, revision: number): Promise<string | undefined> {
    const state = this.#states.get(persistenceId);
    return state?.receipts[state.revision - revision];
  }

  async listStreams(prefix: string): Promise<Page<{ readonly stream: string; readonly nextOffset: number }>> {
    const streams = [...this.#streams].filter(([stream]) => stream.startsWith(prefix));
    return { items: streams.map(([stream, messages]) => ({ stream, nextOffset: messages.length })), next: undefined };
  }

  async listStates(prefix: string): Promise<Page<string>> {
    const states = [...this.#states].filter(([id, state]) => state.live && id.startsWith(prefix));
    return { items: states.map(([id]) => id), next: undefined };
  }

  async close(): Promise<void> {
    this.#messages.length = 0;
    this.#streams.clear();
    this.#states.clear();
  }

  /** The first write that does not hold, each judged on top of the earlier ones. */
  #check(writes: readonly Write[]): CommitOutcome | undefined {
    const nextOffsets = new Map<string, number>();
    const revisions = new Map<string, number>();
    for (const [index, write] of writes.entries()) {
      if (write.kind === "append") {
        const actual = nextOffsets.get(write.stream) ?? this.#streams.get(write.stream)?.length ?? 0;
        if (write.offset !== actual) return { kind: "refused", write: index, actual };
        nextOffsets.set(write.stream, actual + write.records.length);
      } else {
        const actual = revisions.get(write.persistenceId) ?? this.#states.get(write.persistenceId)?.revision ?? 0;
        if (write.expectedRevision !== actual) return { kind: "refused", write: index, actual };
        revisions.set(write.persistenceId, actual + 1);
      }
    }
    return undefined;
  }

  #apply(write: Write): void {
    if (write.kind === "state") {
      const { persistenceId, record, live, receipt } = write;
      const receipts = this.#states.get(persistenceId)?.receipts ?? [];
      this.#states.set(persistenceId, {
        revision: write.expectedRevision + 1,
        record,
        live,
        receipts: [receipt, ...receipts].slice(0, KEPT_RECEIPTS),
      });
      return;
    }
    const messages = this.#streams.get(write.stream) ?? [];
    this.#streams.set(write.stream, messages);
    for (const record of write.records) {
      const stored = { stream: write.stream, offset: messages.length, globalOffset: this.#messages.length, record };
      messages.push(stored);
      this.#messages.push(stored);
    }
  }
}

function take(messages: readonly StoredMessage[], from: number, limit: ReadLimit): readonly StoredMessage[] {
  const taken: StoredMessage[] = [];
  let bytes = 0;
  for (const message of messages.slice(from, from + limit.maxRecords)) {
    bytes += message.record.length;
    if (taken.length > 0 && bytes > limit.maxBytes) break;
    taken.push(message);
  }
  return taken;
}

import type { StoredMessage, StoredState, Write } from "../../src/driver/index.ts";

export interface Refusal {
  readonly write: number;
  readonly actual: number;
}

interface State extends StoredState {
  readonly live: boolean;
  /** Newest first. */
  readonly receipts: readonly string[];
}

const RECEIPTS = 9;

/** What a store holds: plain maps and arrays, and the one rule by which every process decides a commit alike. */
export class Model {
  readonly global: StoredMessage[] = [];
  readonly streams = new Map<string, StoredMessage[]>();
  readonly states = new Map<string, State>();

  /** Applies all the writes, or none and says which one does not hold. */
  apply(writes: readonly Write[]): Refusal | undefined {
    const heads = new Map<string, number>();
    for (const [index, write] of writes.entries()) {
      const key = write.kind === "append" ? `m${write.stream}` : `s${write.persistenceId}`;
      const actual = heads.get(key) ?? this.head(write);
      const wanted = write.kind === "append" ? write.offset : write.expectedRevision;
      if (wanted !== actual) return { write: index, actual };
      heads.set(key, actual + (write.kind === "append" ? write.records.length : 1));
    }
    for (const write of writes) this.#take(write);
    return undefined;
  }

  head(write: Write): number {
    if (write.kind === "append") return this.streams.get(write.stream)?.length ?? 0;
    return this.states.get(write.persistenceId)?.revision ?? 0;
  }

  #take(write: Write): void {
    if (write.kind === "state") {
      const before = this.states.get(write.persistenceId);
      this.states.set(write.persistenceId, {
        revision: write.expectedRevision + 1,
        record: write.record,
        live: write.live,
        receipts: [write.receipt, ...(before?.receipts ?? [])].slice(0, RECEIPTS),
      });
      return;
    }
    const messages = this.streams.get(write.stream) ?? [];
    this.streams.set(write.stream, messages);
    for (const record of write.records) {
      const message = { stream: write.stream, offset: messages.length, globalOffset: this.global.length, record };
      messages.push(message);
      this.global.push(message);
    }
  }
}

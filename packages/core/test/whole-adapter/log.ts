import type { Envelope, RecordedEnvelope } from "../../src/contract/envelope.ts";
import { InvalidArgumentError, OffsetConflictError, RevisionConflictError } from "../../src/contract/errors.ts";
import { give, type Kept } from "./values.ts";

export type Write =
  | { readonly kind: "append"; readonly key: string; readonly at: number; readonly items: readonly Item[] }
  | { readonly kind: "state"; readonly key: string; readonly at: number; readonly state: string | undefined };

export interface Item {
  readonly head: string;
  readonly data: Kept;
}

export interface Receipt {
  readonly commitId: string;
  readonly content: string;
}

interface Message extends Item {
  readonly stream: string;
  readonly offset: number;
  readonly globalOffset: number;
  /** Of the first message of an append: only there can it be repeated. */
  readonly receipt: Receipt | undefined;
}

export interface State {
  readonly revision: number;
  readonly state: string | undefined;
  readonly updatedAt: string | undefined;
  /** Newest first; nine at most. */
  readonly receipts: readonly Receipt[];
}

const neverWritten: State = { revision: 0, state: undefined, updatedAt: undefined, receipts: [] };

export function contentOf(writes: readonly Write[]): string {
  const shown = (_: string, value: unknown) => (value instanceof Uint8Array ? [...value] : value);
  return JSON.stringify(writes, shown);
}

/** The position that `write` leaves behind: the stream's next offset, or the revision. */
export function after(write: Write): number {
  return write.at + (write.kind === "append" ? write.items.length : 1);
}

export function conflict(write: Write, actual: number): Error {
  const message = `${write.at} was expected, ${actual} is the next`;
  return write.kind === "append"
    ? new OffsetConflictError(message, { stream: write.key, offset: write.at, nextOffset: actual })
    : new RevisionConflictError(message, {
        persistenceId: write.key,
        expectedRevision: write.at,
        actualRevision: actual,
      });
}

/** Streams, states and their one order, in plain Maps. Every commit is judged and applied in one synchronous step. */
export class Log {
  readonly streams = new Map<string, Message[]>();
  readonly states = new Map<string, State>();
  readonly order: Message[] = [];

  position(write: Pick<Write, "kind" | "key">): number {
    return write.kind === "append" ? (this.streams.get(write.key)?.length ?? 0) : this.state(write.key).revision;
  }

  state(id: string): State {
    return this.states.get(id) ?? neverWritten;
  }

  recorded<E extends Envelope>(message: Message | undefined, ordered: boolean): RecordedEnvelope<E> | undefined {
    if (message === undefined) return undefined;
    const { stream, offset, globalOffset } = message;
    const envelope = { ...(JSON.parse(message.head) as object), data: give(message.data) };
    return { ...envelope, stream, offset, globalOffset: ordered ? globalOffset : undefined } as RecordedEnvelope<E>;
  }

  /** All the writes, or none and the first clash. A commit that is there already is acknowledged again. */
  commit(writes: readonly Write[], receipt: Receipt): void {
    const clash = this.#clash(writes);
    if (clash === undefined) {
      for (const write of writes) this.#apply(write, receipt);
      return;
    }
    const same = writes.map((write) => this.#receiptAt(write)).filter((found) => found?.commitId === receipt.commitId);
    if (same.some((found) => found?.content === receipt.content)) return;
    if (same.length > 0) throw new InvalidArgumentError("this commitId was used here with other content");
    throw clash;
  }

  #clash(writes: readonly Write[]): Error | undefined {
    const positions = new Map<string, number>();
    for (const write of writes) {
      const place = `${write.kind}:${write.key}`;
      const actual = positions.get(place) ?? this.position(write);
      if (actual !== write.at) return conflict(write, actual);
      positions.set(place, after(write));
    }
    return undefined;
  }

  #receiptAt(write: Write): Receipt | undefined {
    if (write.kind === "append") return this.streams.get(write.key)?.[write.at]?.receipt;
    const { revision, receipts } = this.state(write.key);
    return receipts[revision - write.at - 1];
  }

  #apply(write: Write, receipt: Receipt): void {
    if (write.kind === "state") {
      const { revision, receipts } = this.state(write.key);
      const updatedAt = new Date().toISOString();
      const kept = [receipt, ...receipts].slice(0, 9);
      this.states.set(write.key, { revision: revision + 1, state: write.state, updatedAt, receipts: kept });
      return;
    }
    const stream = this.streams.get(write.key) ?? [];
    this.streams.set(write.key, stream);
    write.items.forEach((item, index) => {
      const place = { stream: write.key, offset: stream.length, globalOffset: this.order.length };
      const message = { ...item, ...place, receipt: index === 0 ? receipt : undefined };
      stream.push(message);
      this.order.push(message);
    });
  }
}

import type { Transaction } from "../../contract/data-store.ts";
import type { Envelope } from "../../contract/envelope.ts";
import type { WriteOptions } from "../../contract/options.ts";
import { equal } from "../expect.ts";
import { meets } from "./meets.ts";
import {
  asJson,
  type Expected,
  invalid,
  type Model,
  type ModelWrite,
  offsetConflict,
  revisionConflict,
} from "./model.ts";
import type { Aim, Operation, WriteOperation } from "./operation.ts";
import type { World } from "./world.ts";

/** The store and a transaction write alike. */
type Writer = Pick<Transaction, "messages" | "state">;

interface Sent {
  readonly commitId: string;
  readonly writes: readonly ModelWrite[];
  readonly asTransaction: boolean;
}

/** The writing operations of one history: each is made on the model and on the store, and must end alike. */
export class HistoryWrites {
  readonly #world: World;
  readonly #model: Model;
  readonly #prefix: string;
  readonly #sent: Sent[] = [];
  #made = 0;

  constructor(world: World, model: Model, prefix: string) {
    this.#world = world;
    this.#model = model;
    this.#prefix = prefix;
  }

  async write(operation: Operation & { readonly kind: "write" }): Promise<void> {
    const { write, named } = operation;
    const commitId = this.#commitId(named);
    const writes = [this.#aimed(write, this.#currentOf(write))];
    if (commitId !== undefined) this.#sent.push({ commitId, writes, asTransaction: false });
    await this.#single(commitId, writes);
  }

  async repeat({ which, changed }: Operation & { readonly kind: "repeat" }): Promise<void> {
    const sent = this.#sent[which % Math.max(this.#sent.length, 1)];
    if (sent === undefined) return;
    const { commitId, asTransaction } = sent;
    const writes = changed ? sent.writes.map((write) => this.#changed(write)) : sent.writes;
    if (asTransaction) await this.#transact(commitId, writes, { awaited: false, end: "commit" });
    else await this.#single(commitId, writes);
  }

  async transaction(operation: Operation & { readonly kind: "transaction" }): Promise<void> {
    const commitId = this.#commitId(operation.named);
    const writes = this.#aimedTogether(
      this.#world.store.capabilities.transactions === "key" ? oneKey(operation.writes) : operation.writes,
    );
    const known = firstOwnClash(writes) === undefined && operation.end === "commit" && writes.length > 0;
    if (commitId !== undefined && known) this.#sent.push({ commitId, writes, asTransaction: true });
    await this.#transact(commitId, writes, operation);
  }

  async #single(commitId: string | undefined, writes: readonly ModelWrite[]): Promise<void> {
    const expected = this.#model.commit({ commitId, writes });
    for (const write of writes) await this.#call(this.#world.store, write, expected, { commitId });
  }

  async #transact(
    commitId: string | undefined,
    writes: readonly ModelWrite[],
    { awaited, end }: Pick<Operation & { readonly kind: "transaction" }, "awaited" | "end">,
  ): Promise<void> {
    const clash = firstOwnClash(writes);
    const thrown = new Error("what the work threw");
    const work = async (tx: Transaction) => {
      const failing = writes.findIndex((write, index) => ownClash(writes.slice(0, index), write) !== undefined);
      for (const [index, write] of writes.entries()) {
        // Behind the first failure nothing matters any more: the transaction rejects with it.
        const call =
          index > failing && failing !== -1
            ? undefined
            : this.#call(tx, write, index === failing ? clash : undefined, {});
        if (awaited) await call;
        else call?.catch(() => {});
      }
      if (end === "bad write") await tx.state.upsert("", 0, 0).catch(() => {});
      if (end === "throw") throw thrown;
      return "given";
    };
    const failure =
      clash ?? (end === "bad write" ? invalid : end === "throw" ? { message: thrown.message } : undefined);
    const expected = failure ?? this.#model.commit({ commitId, writes });
    const given = await meets(this.#world.store.transaction(work, { commitId }), expected, "a transaction");
    if (expected === undefined) equal(given, "given", "what the transaction gives");
  }

  /** Makes one write; a state's record must be what was written. */
  async #call(writer: Writer, write: ModelWrite, expected: Expected, options: WriteOptions): Promise<void> {
    const what = `${write.kind} ${JSON.stringify(write.kind === "append" ? [write.stream, write.offset] : [write.persistenceId, write.expectedRevision])}`;
    if (write.kind === "append") {
      await meets(writer.messages.appendMessages(write.stream, write.offset, write.envelopes, options), expected, what);
      return;
    }
    const { persistenceId, expectedRevision } = write;
    const call =
      write.kind === "upsert"
        ? writer.state.upsert<unknown>(persistenceId, expectedRevision, write.state, options)
        : writer.state.delete(persistenceId, expectedRevision, options);
    const record = await meets<{ readonly revision: number; readonly state: unknown }>(call, expected, what);
    if (expected !== undefined) return;
    const wanted = [expectedRevision + 1, write.kind === "upsert" ? asJson(write.state) : undefined];
    equal([record?.revision, record?.state], wanted, `the record that ${what} gives`);
  }

  #commitId(named: boolean): string | undefined {
    this.#made += 1;
    return named ? `${this.#prefix}commit ${this.#made}` : undefined;
  }

  #currentOf({ kind, name }: WriteOperation): number {
    const full = this.#prefix + name;
    return kind === "append" ? this.#model.stream(full).length : this.#model.state(full).revision;
  }

  #aimed(write: WriteOperation, current: number): ModelWrite {
    const name = this.#prefix + write.name;
    const aim = aimAt(write.aim, current);
    if (write.kind === "append") {
      return { kind: "append", stream: name, offset: aim, envelopes: write.data.map((data) => this.#envelope(data)) };
    }
    if (write.kind === "delete") return { kind: "delete", persistenceId: name, expectedRevision: aim };
    return { kind: "upsert", persistenceId: name, expectedRevision: aim, state: write.state };
  }

  /** Each aimed at where the ones before it leave its key. */
  #aimedTogether(writes: readonly WriteOperation[]): readonly ModelWrite[] {
    const current = new Map<string, number>();
    return writes.map((write) => {
      const key = `${write.kind === "append" ? "stream" : "state"} ${write.name}`;
      const aimed = this.#aimed(write, current.get(key) ?? this.#currentOf(write));
      current.set(key, endOf(aimed));
      return aimed;
    });
  }

  #changed(write: ModelWrite): ModelWrite {
    this.#made += 1;
    if (write.kind === "append")
      return { ...write, envelopes: write.envelopes.map(({ data }) => this.#envelope(data)) };
    const { persistenceId, expectedRevision } = write;
    return { kind: "upsert", persistenceId, expectedRevision, state: { changed: this.#made } };
  }

  #envelope(data: unknown): Envelope {
    this.#made += 1;
    const plain = { id: `message ${this.#made}`, type: "Tested", data, createdAt: "2024-02-29T12:00:00.123456Z" };
    if (this.#made % 3 > 0) return plain;
    return {
      ...plain,
      causationId: "",
      correlationId: "c",
      sendAt: "2030-01-01T00:00:00Z",
      metadata: { traceparent: "t" },
    };
  }
}

function aimAt(aim: Aim, current: number): number {
  if (aim.at === "right") return current;
  return aim.at === "ahead" ? current + 1 + aim.by : Math.max(0, current - 1 - aim.by);
}

/** Where a write that holds leaves its key. */
function endOf(write: ModelWrite): number {
  return write.kind === "append" ? write.offset + write.envelopes.length : write.expectedRevision + 1;
}

function sameKey(one: ModelWrite, other: ModelWrite): boolean {
  if (one.kind === "append") return other.kind === "append" && one.stream === other.stream;
  return other.kind !== "append" && one.persistenceId === other.persistenceId;
}

/** How a write clashes with the earlier ones of its transaction. */
function ownClash(earlier: readonly ModelWrite[], write: ModelWrite): Expected {
  const last = earlier.findLast((one) => sameKey(one, write));
  if (last === undefined) return undefined;
  const actual = endOf(last);
  if (write.kind === "append") return write.offset === actual ? undefined : offsetConflict(write, actual);
  return write.expectedRevision === actual ? undefined : revisionConflict(write, actual);
}

function firstOwnClash(writes: readonly ModelWrite[]): Expected {
  for (const [index, write] of writes.entries()) {
    const clash = ownClash(writes.slice(0, index), write);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

/** All to the first one's key, for a backend that writes one key a commit. */
function oneKey(writes: readonly WriteOperation[]): readonly WriteOperation[] {
  const [first] = writes;
  if (first === undefined) return writes;
  const isAppend = first.kind === "append";
  return writes
    .filter((write) => (write.kind === "append") === isAppend)
    .map((write) => ({ ...write, name: first.name }));
}

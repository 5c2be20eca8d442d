import { hasGlobalOrder } from "../../contract/data-store.ts";
import type { RecordedEnvelope } from "../../contract/envelope.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import { equal, throws, within } from "../expect.ts";
import { HistoryOffsets } from "./history-offsets.ts";
import { HistoryWrites } from "./history-writes.ts";
import { meets } from "./meets.ts";
import { asJson, Model, type ModelMessage } from "./model.ts";
import type { Operation } from "./operation.ts";
import type { World } from "./world.ts";

/** A cursor that stays open between operations, and the offset that it gives next. */
interface OpenCursor {
  readonly stream: string;
  readonly cursor: MessageStream;
  next: number;
  fresh: boolean;
}

/** Runs one history on a model and on a store side by side; throws where they differ. */
export async function runHistory(world: World, operations: readonly Operation[]): Promise<void> {
  const { prefix, base } = await world.next();
  const history = new History(world, prefix, base);
  for (const operation of operations) await history.step(operation);
  await history.end();
}

class History {
  readonly #world: World;
  readonly #prefix: string;
  readonly #base: number;
  readonly #model = new Model();
  readonly #writes: HistoryWrites;
  readonly #offsets: HistoryOffsets;
  readonly #cursors = new Map<number, OpenCursor>();

  constructor(world: World, prefix: string, base: number) {
    this.#world = world;
    this.#prefix = prefix;
    this.#base = base;
    this.#writes = new HistoryWrites(world, this.#model, prefix);
    this.#offsets = new HistoryOffsets(world, prefix);
  }

  step(operation: Operation): Promise<void> | undefined {
    switch (operation.kind) {
      case "nothing":
        return undefined;
      case "write":
        return this.#writes.write(operation);
      case "repeat":
        return this.#writes.repeat(operation);
      case "transaction":
        return this.#writes.transaction(operation);
      case "read":
        return this.#read(this.#prefix + operation.name, operation.from, operation.how);
      case "read all":
        return this.#readAll(operation.from);
      case "cursor":
        return this.#openCursor(operation.slot, this.#prefix + operation.name, operation.from);
      case "step":
        return this.#stepCursor(operation);
      case "ends":
        return this.#ends(this.#prefix + operation.name);
      case "load":
        return this.#load(this.#prefix + operation.name);
      case "list":
        return this.#list(this.#prefix + operation.prefix);
      case "save":
        return this.#offsets.save(operation);
      case "restore":
        return this.#offsets.restore(operation);
      case "clear":
        return this.#offsets.clear(operation);
      case "reopen":
        return this.#reopen();
    }
  }

  /** Looks at all that the history left. */
  async end(): Promise<void> {
    for (const stream of this.#model.streams.keys()) await this.#read(stream, 0, "open");
    for (const persistenceId of this.#model.states.keys()) await this.#load(persistenceId);
    await this.#readAll(0);
    await this.#list(this.#prefix);
    for (const { cursor } of this.#cursors.values()) await cursor.close();
  }

  async #read(stream: string, from: number, how: "open" | "follow" | "iterate"): Promise<void> {
    const { messages } = this.#world.store;
    const all = this.#model.stream(stream);
    const cursor = await (how === "open" ? messages.openStream(stream, from) : messages.followStream(stream, from));
    if (how === "open") equal(cursor !== undefined, all.length > 0, "whether openStream gives a cursor");
    if (cursor === undefined) return;
    const wanted = all.slice(from);
    if (how === "iterate") {
      if (wanted.length > 0) await this.#iterate(cursor, wanted);
    } else {
      for (const message of wanted) {
        equal(await cursor.tryNext(), true, `tryNext before offset ${message.offset}`);
        this.#sees(cursor.get(), message);
      }
      equal(await cursor.tryNext(), false, "tryNext at the end of the stream");
    }
    await cursor.close();
  }

  async #iterate(cursor: MessageStream, wanted: readonly ModelMessage[]): Promise<void> {
    const rest = [...wanted];
    const loop = async () => {
      for await (const found of cursor) {
        const message = rest.shift();
        if (message !== undefined) this.#sees(found, message);
        if (rest.length === 0) break;
      }
    };
    await within(10_000, loop(), "iterating over messages that are there");
  }

  async #readAll(from: number): Promise<void> {
    const { store } = this.#world;
    if (!hasGlobalOrder(store)) return;
    equal(await store.messages.nextGlobalOffset(), this.#base + this.#model.global.length, "the next global offset");
    const cursor = await store.messages.openGlobal(this.#base + from);
    for (const message of this.#model.global.slice(from)) {
      equal(await cursor.tryNext(), true, `tryNext before message ${message.position} of all`);
      equal(cursor.offset(), this.#base + message.position, "the cursor's offset");
      this.#sees(cursor.get(), message);
    }
    equal(await cursor.tryNext(), false, "tryNext at the end of all messages");
    await cursor.close();
  }

  async #openCursor(slot: number, stream: string, from: number): Promise<void> {
    await this.#cursors.get(slot)?.cursor.close();
    const cursor = await this.#world.store.messages.followStream(stream, from);
    this.#cursors.set(slot, { stream, cursor, next: from, fresh: true });
  }

  async #stepCursor({ slot, steps, wait }: Operation & { readonly kind: "step" }): Promise<void> {
    const open = this.#cursors.get(slot);
    if (open === undefined) return;
    const { cursor, stream } = open;
    for (let step = 0; step < steps; step++) {
      if (open.fresh) throws(() => cursor.get(), { code: "HOLDFAST_NO_MESSAGE" }, "get before the first message");
      const message = this.#model.stream(stream)[open.next];
      if (wait && message !== undefined) await within(10_000, cursor.next(), "next, where a message is there");
      else equal(await cursor.tryNext(), message !== undefined, "tryNext of an open cursor");
      if (message === undefined) return;
      open.next += 1;
      open.fresh = false;
      equal(cursor.offset(), message.offset, "the cursor's offset");
      this.#sees(cursor.get(), message);
    }
  }

  async #ends(stream: string): Promise<void> {
    equal(await this.#world.store.messages.nextOffset(stream), this.#model.stream(stream).length, "the next offset");
  }

  async #load(persistenceId: string): Promise<void> {
    const { revision, state } = this.#model.state(persistenceId);
    const found = await this.#world.store.state.load(persistenceId);
    equal([found.persistenceId, found.revision, found.state], [persistenceId, revision, state], "the record");
    equal(typeof found.updatedAt, revision === 0 ? "undefined" : "string", "the type of updatedAt");
  }

  async #list(prefix: string): Promise<void> {
    const { messages, state } = this.#world.store;
    const streams: [string, number][] = [];
    for await (const { stream, nextOffset } of messages.listStreams({ prefix })) streams.push([stream, nextOffset]);
    const wanted = [...this.#model.streams].filter(([stream]) => stream.startsWith(prefix));
    equal(streams.sort(), wanted.map(([stream, all]) => [stream, all.length]).sort(), "the streams that are listed");
    const ids: string[] = [];
    for await (const id of state.listPersistenceIds({ prefix })) ids.push(id);
    const live = [...this.#model.states].filter(([id, record]) => id.startsWith(prefix) && record.state !== undefined);
    equal(ids.sort(), live.map(([id]) => id).sort(), "the ids that are listed");
  }

  async #reopen(): Promise<void> {
    for (const { cursor } of this.#cursors.values()) await cursor.close();
    this.#cursors.clear();
    await meets(this.#world.reopen(), undefined, "closing and opening the store again");
    this.#offsets.renew();
  }

  #sees(found: RecordedEnvelope, { envelope, stream, offset, position }: ModelMessage): void {
    const globalOffset = this.#world.store.capabilities.globalOrder ? this.#base + position : undefined;
    const wanted = { ...envelope, data: asJson(envelope.data), stream, offset, globalOffset };
    equal({ ...found }, wanted, `the message at offset ${offset}`);
  }
}

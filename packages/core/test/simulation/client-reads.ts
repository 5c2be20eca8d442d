import { HoldfastError } from "../../src/contract/errors.ts";
import { type Desk, IDS, STREAMS } from "./desk.ts";
import type { Follower, Message, SimulatedProcess, Store } from "./simulated-process.ts";

/** The reads of one client of a process. */
export class ClientReads {
  readonly #desk: Desk;
  readonly #process: SimulatedProcess;
  readonly #store: Store;
  readonly #name: string;

  constructor(desk: Desk, process: SimulatedProcess, store: Store, name: string) {
    this.#desk = desk;
    this.#process = process;
    this.#store = store;
    this.#name = name;
  }

  /** An error that says that the store could not be asked; anything else is a bug. */
  expectPlain(error: unknown, what: string): void {
    const plain = ["HOLDFAST_UNAVAILABLE", "HOLDFAST_REOPEN", "HOLDFAST_CLOSED"];
    const code = error instanceof HoldfastError ? error.code : "";
    if (code === "HOLDFAST_REOPEN") this.#process.stopping = true;
    if (plain.includes(code)) return;
    this.#desk.network.violate(`${what} of ${this.#name} met ${error instanceof Error ? error.stack : String(error)}`);
  }

  async look(): Promise<void> {
    const { random } = this.#desk;
    const drawn = random.next();
    if (drawn < 0.15) await this.nextOffset(random.pick(STREAMS));
    else if (drawn < 0.3) await this.load(random.pick(IDS));
    else if (drawn < 0.6) await this.#readStream(random.pick(STREAMS));
    else if (drawn < 0.85) await this.#follow();
    else if (drawn < 0.93) await this.#nextGlobalOffset();
    else await this.#list();
  }

  /** A read that may fail for no better reason than that the store did not answer. */
  async #reading<T>(read: (called: number) => Promise<T>): Promise<T | undefined> {
    const desk = this.#desk;
    desk.readers += 1;
    try {
      return await read(desk.recorder.tick());
    } catch (error) {
      this.expectPlain(error, "a read");
      return undefined;
    } finally {
      desk.readers -= 1;
    }
  }

  async nextOffset(stream: string): Promise<number> {
    const nextOffset = await this.#reading(async (called) => {
      const seen = await this.#store.messages.nextOffset(stream);
      this.#desk.recorder.read(this.#name, called, { kind: "nextOffset", stream, nextOffset: seen });
      this.#process.nextOffsets.set(stream, seen);
      return seen;
    });
    return nextOffset ?? 0;
  }

  async load(persistenceId: string): Promise<number> {
    const revision = await this.#reading(async (called) => {
      const record = await this.#store.state.load<{ readonly token: string }>(persistenceId);
      const token = record.state?.token ?? null;
      this.#desk.recorder.read(this.#name, called, { kind: "load", persistenceId, revision: record.revision, token });
      this.#process.revisions.set(persistenceId, record.revision);
      return record.revision;
    });
    return revision ?? 0;
  }

  async #nextGlobalOffset(): Promise<void> {
    await this.#reading(async (called) => {
      const nextGlobalOffset = await this.#store.messages.nextGlobalOffset();
      this.#desk.recorder.read(this.#name, called, { kind: "nextGlobalOffset", nextGlobalOffset });
    });
  }

  async #readStream(stream: string): Promise<void> {
    const { random, network, recorder } = this.#desk;
    await this.#reading(async (called) => {
      const known = this.#process.nextOffsets.get(stream) ?? 0;
      const from = random.next() < 0.5 ? 0 : random.integer(known + 2);
      const cursor = await this.#store.messages.followStream<Message>(stream, from);
      const tokens: string[] = [];
      let end = false;
      const pauseAt = random.next() < 0.3 ? random.integer(6) : -1;
      try {
        for (let left = random.next() < 0.7 ? 1_000 : random.integer(6); left > 0 && !end; left -= 1) {
          // A slow reader: the store moves under it.
          if (tokens.length === pauseAt) await network.scheduler.sleep(5 + random.integer(60));
          if (await cursor.tryNext()) tokens.push(cursor.get().data.token);
          else end = true;
        }
      } finally {
        if (end || tokens.length > 0)
          recorder.read(this.#name, called, { kind: "readStream", stream, from, tokens, end });
        await cursor.close();
      }
    });
  }

  /** One step of the process's reader of the whole store: waits a little for news, then reads on to the end. */
  async #follow(): Promise<void> {
    const { random, recorder } = this.#desk;
    const process = this.#process;
    if (process.follower === "busy") return;
    const follower: Exclude<SimulatedProcess["follower"], "busy"> =
      process.follower ?? (await this.#openFollower(random.next() < 0.5 ? 0 : random.integer(20)));
    if (follower === undefined) return;
    process.follower = "busy";
    const { cursor } = follower;
    const from = follower.next;
    const messages: { globalOffset: number; stream: string; offset: number; token: string }[] = [];
    let end = false;
    const take = () => {
      const { globalOffset, stream, offset, data } = cursor.get();
      messages.push({ globalOffset: globalOffset ?? -1, stream, offset, token: data.token });
    };
    await this.#reading(async (called) => {
      try {
        if (random.next() < 0.5 && (await waited(cursor, 1 + random.integer(40)))) take();
        for (let left = random.next() < 0.7 ? 1_000 : random.integer(8); left > 0 && !end; left -= 1) {
          if (await cursor.tryNext()) take();
          else end = true;
        }
      } finally {
        if (end || messages.length > 0) recorder.read(this.#name, called, { kind: "readGlobal", from, messages, end });
      }
    });
    process.follower = { cursor, next: from + messages.length };
    if (random.next() < 0.2) {
      process.follower = undefined;
      await cursor.close();
    }
  }

  async #openFollower(from: number): Promise<{ readonly cursor: Follower; readonly next: number } | undefined> {
    this.#process.follower = "busy";
    const cursor = await this.#reading(() => this.#store.messages.openGlobal<Message>(from));
    this.#process.follower = undefined;
    return cursor && { cursor, next: from };
  }

  async #list(): Promise<void> {
    const { recorder, network } = this.#desk;
    await this.#reading(async (called) => {
      const listed = new Map<string, number>();
      for await (const { stream, nextOffset } of this.#store.messages.listStreams()) {
        if (listed.has(stream)) network.violate(`R-15: stream ${stream} was listed twice`);
        listed.set(stream, nextOffset);
      }
      const returned = recorder.tick();
      // One that was not listed was not there when the listing began.
      for (const stream of STREAMS) {
        recorder.read(
          this.#name,
          called,
          { kind: "nextOffset", stream, nextOffset: listed.get(stream) ?? 0 },
          returned,
        );
      }
      const ids: string[] = [];
      for await (const id of this.#store.state.listPersistenceIds()) ids.push(id);
      if (new Set(ids).size !== ids.length) network.violate(`R-15: ids were listed twice: ${ids.join()}`);
    });
  }
}

/** Waits for a message for so long; false: none came. */
async function waited(cursor: { next(options: { signal: AbortSignal }): Promise<void> }, ms: number): Promise<boolean> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(abort), ms);
  try {
    await cursor.next({ signal: abort.signal });
    return true;
  } catch (error) {
    if (error === abort) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { GloballyOrderedMessageStore } from "../../contract/message-store.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import type { Programs, World } from "../process/program.ts";
import { Random } from "../random.ts";
import { expectedBy } from "./commits.ts";
import type { HistoryWrite, Operation, Outcome } from "./history.ts";
import { isUnavailable } from "./outcome.ts";
import { Recorder } from "./recorder.ts";

/** What one worker of a race is to do. */
export interface RaceInput {
  readonly worker: string;
  readonly seed: number;
  /** How many clients call at once in this worker. */
  readonly clients: number;
  /** How many operations each client makes; fewer if it is told to stop. */
  readonly operations: number;
  readonly streams: number;
  readonly states: number;
}

/** What a worker reports: of a write first that it is sent, then how it ended; last, that it has ended. */
export type RaceReport =
  | { readonly kind: "sending" | "done"; readonly operation: Operation }
  | { readonly kind: "unavailable" }
  | { readonly kind: "ended" };

/** Races on a few streams and states, until it has made all its operations or gets a second signal. */
async function race({ store, input, report, signalled }: World): Promise<void> {
  const told = input as RaceInput;
  const running = { stopped: false };
  const send = (one: RaceReport) => report(one);
  await signalled();
  void signalled().then(() => {
    running.stopped = true;
  });
  const clients = Array.from({ length: told.clients }, async (_, index) => {
    const recorder = new Recorder(store, `${told.worker}${index}`, {
      sending: (operation) => send({ kind: "sending", operation }),
      done: (operation) => void send({ kind: "done", operation }),
    });
    const client = new RaceClient(store, recorder, new Random(told.seed * 31 + index), told);
    for (let made = 0; made < told.operations && !running.stopped; made++) {
      if (!(await client.step())) await send({ kind: "unavailable" });
    }
  });
  await Promise.all(clients);
  await send({ kind: "ended" });
}

export const racePrograms: Programs = { race };

/** Writes at where it believes the ends to be, and so often too late; reads; repeats what it was told of, or not. */
class RaceClient {
  readonly #store: DataStore;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #streams: readonly string[];
  readonly #states: readonly string[];
  /** The offset or revision that each place is believed to be at. */
  readonly #believed = new Map<string, number>();
  #cursor: MessageStream | undefined;
  #from = 0;

  constructor(store: DataStore, recorder: Recorder, random: Random, { streams, states }: RaceInput) {
    this.#store = store;
    this.#recorder = recorder;
    this.#random = random;
    this.#streams = Array.from({ length: streams }, (_, index) => `stream ${index}`);
    this.#states = Array.from({ length: states }, (_, index) => `state ${index}`);
  }

  /** One operation; false: a read that could not reach the backend. */
  async step(): Promise<boolean> {
    const draw = this.#random.next();
    if (draw < 0.45) await this.#single();
    else if (draw < 0.6) await this.#transaction();
    else return this.#tryRead();
    return true;
  }

  async #single(): Promise<void> {
    const write = this.#write(this.#random.pick([...this.#streams, ...this.#states]));
    const commitId = this.#recorder.token();
    for (let call = 0; call < 4; call++) {
      const outcome = await this.#recorder.write(write, { commitId });
      this.#learn([write], outcome);
      if (outcome.kind !== "unknown" && this.#random.next() < 0.95) return;
    }
  }

  /** Two or three places, or the same stream twice where a commit has but one key. */
  async #transaction(): Promise<void> {
    const isWhole = this.#store.capabilities.transactions === "store";
    const places = isWhole ? [...this.#streams, ...this.#states] : this.#streams;
    const count = isWhole ? 2 + this.#random.integer(2) : 1;
    const picked = new Set(Array.from({ length: count }, () => this.#random.pick(places)));
    const writes = [...picked].map((place) => this.#write(place));
    const [first] = writes;
    if (first?.kind === "append" && (picked.size === 1 || this.#random.next() < 0.2)) {
      writes.push({ ...first, offset: first.offset + first.tokens.length, tokens: [this.#recorder.token()] });
    }
    this.#learn(writes, await this.#recorder.writeTogether(writes));
  }

  #write(place: string): HistoryWrite {
    const believed = this.#believed.get(place) ?? 0;
    if (this.#streams.includes(place)) {
      const tokens = Array.from({ length: 1 + this.#random.integer(3) }, () => this.#recorder.token());
      return { kind: "append", stream: place, offset: believed, tokens };
    }
    if (this.#random.next() < 0.1) return { kind: "delete", persistenceId: place, revision: believed };
    return { kind: "upsert", persistenceId: place, revision: believed, token: this.#recorder.token() };
  }

  #learn(writes: readonly HistoryWrite[], outcome: Outcome): void {
    if (outcome.kind === "conflict") {
      const write = writes[outcome.write];
      if (write !== undefined) this.#believed.set(placeOf(write), outcome.actual);
    } else if (outcome.kind === "ok") {
      for (const write of writes) {
        this.#believed.set(placeOf(write), expectedBy(write) + (write.kind === "append" ? write.tokens.length : 1));
      }
    }
  }

  async #tryRead(): Promise<boolean> {
    try {
      await this.#read(this.#random.integer(5));
      return true;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      // What the cursor gave before it failed is not recorded: a new one gives it again.
      await this.#cursor?.close();
      this.#cursor = undefined;
      return false;
    }
  }

  async #read(kind: number): Promise<void> {
    const stream = this.#random.pick(this.#streams);
    const persistenceId = this.#random.pick(this.#states);
    const from = Math.max(0, (this.#believed.get(stream) ?? 0) - this.#random.integer(6));
    if (kind === 0) {
      this.#believed.set(stream, await this.#recorder.nextOffset(stream));
    } else if (kind === 1) {
      await this.#recorder.readStream(stream, from, 1 + this.#random.integer(12));
    } else if (kind === 2 && hasGlobalOrder(this.#store)) {
      await this.#readOn(this.#store.messages);
    } else if (kind === 3 && hasGlobalOrder(this.#store)) {
      await this.#recorder.nextGlobalOffset(this.#store.messages);
    } else {
      this.#believed.set(persistenceId, (await this.#recorder.load(persistenceId)).revision);
    }
  }

  /** One reader of the whole store, from its beginning. */
  async #readOn(messages: GloballyOrderedMessageStore): Promise<void> {
    const from = this.#from;
    this.#cursor ??= await messages.openGlobal(from);
    this.#from = await this.#recorder.readGlobal(this.#cursor, from, 64);
  }
}

function placeOf(write: HistoryWrite): string {
  return write.kind === "append" ? write.stream : write.persistenceId;
}

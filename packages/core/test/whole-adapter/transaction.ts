import type { Transaction } from "../../src/contract/data-store.ts";
import { InvalidArgumentError, InvalidStateError } from "../../src/contract/errors.ts";
import type { ReadOptions, WriteOptions } from "../../src/contract/options.ts";
import { after, conflict, type Log, type Write } from "./log.ts";
import { checkName, checkOptions, keepState } from "./values.ts";
import { appendWrite, checkSize, stateWrite } from "./writes.ts";

/** Holds back writes; each is checked against the transaction's own earlier ones. */
export class MapTransaction implements Transaction {
  readonly writes: Write[] = [];
  readonly messages: Transaction["messages"];
  readonly state: Transaction["state"];
  readonly #log: Log;
  readonly #throwIfClosed: () => void;
  #refused: { readonly error: unknown } | undefined;
  #ended = false;

  constructor(log: Log, throwIfClosed: () => void) {
    this.#log = log;
    this.#throwIfClosed = throwIfClosed;
    this.messages = {
      appendMessages: (stream, offset, envelopes, options) =>
        this.#add(
          () => appendWrite(stream, offset, envelopes),
          options,
          () => undefined,
        ),
      nextOffset: async (stream, options) => {
        this.#read(stream, options);
        const key = { kind: "append", key: stream } as const;
        return this.#own(key) ?? this.#log.position(key);
      },
    };
    this.state = {
      load: async <S>(id: string, options?: ReadOptions) => {
        this.#read(id, options);
        return this.#load<S>(id);
      },
      upsert: <S>(id: string, expected: number, state: S, options?: WriteOptions) => {
        const updatedAt = new Date().toISOString();
        return this.#add(
          () => stateWrite(id, expected, keepState(state)),
          options,
          (write) => {
            const stored = JSON.parse(write.kind === "state" ? (write.state ?? "null") : "null") as S;
            return { persistenceId: id, revision: expected + 1, state: stored, updatedAt };
          },
        );
      },
      delete: (id, expected, options) =>
        this.#add(
          () => stateWrite(id, expected, undefined),
          options,
          () => {
            const updatedAt = new Date().toISOString();
            return { persistenceId: id, revision: expected + 1, state: undefined, updatedAt };
          },
        ),
    };
  }

  end(): void {
    this.#ended = true;
  }

  throwIfRefused(): void {
    if (this.#refused !== undefined) throw this.#refused.error;
  }

  #load<S>(id: string) {
    const own = this.writes.findLast((write) => write.kind === "state" && write.key === id);
    if (own?.kind !== "state") {
      const { revision, state, updatedAt } = this.#log.state(id);
      return {
        persistenceId: id,
        revision,
        state: state === undefined ? undefined : (JSON.parse(state) as S),
        updatedAt,
      };
    }
    const state = own.state === undefined ? undefined : (JSON.parse(own.state) as S);
    return { persistenceId: id, revision: own.at + 1, state, updatedAt: new Date().toISOString() };
  }

  #add<T>(make: () => Write, options: WriteOptions | undefined, give: (write: Write) => T): Promise<T> {
    const adding = (async () => {
      this.#enter();
      try {
        const write = make();
        if (options?.commitId !== undefined) throw new InvalidArgumentError("a transaction has one commitId: its own");
        checkOptions(options);
        const own = this.#own(write);
        if (own !== undefined && own !== write.at) throw conflict(write, own);
        checkSize([...this.writes, write]);
        this.writes.push(write);
        return give(write);
      } catch (error) {
        this.#refused ??= { error };
        throw error;
      }
    })();
    // The transaction rejects with it: nobody has to watch this promise too.
    adding.catch(() => {});
    return adding;
  }

  #read(name: string, options: ReadOptions | undefined): void {
    this.#enter();
    checkName(name, "name");
    checkOptions(options);
  }

  #own(place: Pick<Write, "kind" | "key">): number | undefined {
    const last = this.writes.findLast((write) => write.kind === place.kind && write.key === place.key);
    return last === undefined ? undefined : after(last);
  }

  #enter(): void {
    this.#throwIfClosed();
    if (this.#ended) throw new InvalidStateError("the transaction has ended", { code: "HOLDFAST_TRANSACTION_ENDED" });
  }
}

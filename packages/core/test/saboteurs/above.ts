import type { DataStore, Transaction } from "../../src/contract/data-store.ts";
import type { DurableStateStore } from "../../src/contract/durable-state-store.ts";
import type { Envelope } from "../../src/contract/envelope.ts";
import type { GloballyOrderedMessageStore } from "../../src/contract/message-store.ts";
import type { MessageStream } from "../../src/contract/message-stream.ts";
import type { ReadOptions } from "../../src/contract/options.ts";
import { overriding } from "./overriding.ts";

/** Ways to lie above core: each gives a decorator of a store that replaces some members of one of its parts. */
type Lies<T> = (honest: T, store: DataStore) => Partial<T>;

export function messages(lies: Lies<GloballyOrderedMessageStore>): (store: DataStore) => DataStore {
  return (store) => {
    const honest = store.messages as GloballyOrderedMessageStore;
    return overriding(store, { messages: overriding(honest, lies(honest, store)) });
  };
}

export function state(lies: Lies<DurableStateStore>): (store: DataStore) => DataStore {
  return (store) => overriding(store, { state: overriding(store.state, lies(store.state, store)) });
}

/** `view` makes a lying transaction of an honest one. */
export function transactions(
  view: (honest: Transaction, store: DataStore) => Transaction,
): (store: DataStore) => DataStore {
  return (store) =>
    overriding(store, { transaction: (work, options) => store.transaction((tx) => work(view(tx, store)), options) });
}

/** Where a cursor was opened. `stream` is undefined for the whole store. */
export interface Opened {
  readonly stream: string | undefined;
  readonly by: "openStream" | "followStream" | "openGlobal";
  readonly offset: number;
  readonly store: DataStore;
}

export function cursors(
  lies: (honest: MessageStream, opened: Opened) => Partial<MessageStream>,
): (store: DataStore) => DataStore {
  return messages((honest, store) => {
    const lying = <E extends Envelope>(cursor: MessageStream<E>, opened: Omit<Opened, "store">) =>
      overriding<MessageStream>(cursor, lies(cursor, { ...opened, store })) as MessageStream<E>;
    return {
      openStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) => {
        const cursor = await honest.openStream<E>(stream, offset, options);
        return cursor && lying(cursor, { by: "openStream", stream, offset });
      },
      followStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) =>
        lying(await honest.followStream<E>(stream, offset, options), { by: "followStream", stream, offset }),
      openGlobal: async <E extends Envelope>(offset: number, options?: ReadOptions) =>
        lying(await honest.openGlobal<E>(offset, options), { by: "openGlobal", stream: undefined, offset }),
    };
  });
}

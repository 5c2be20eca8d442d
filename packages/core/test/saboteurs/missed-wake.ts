import type { DataStore } from "../../src/contract/data-store.ts";
import { cursors, messages } from "./above.ts";

/** Turns of the microtask queue after a call of `next`: when the reader looks, and when it has subscribed. */
const LOOKS = 4;
const SUBSCRIBED = 8;

/** A reader between its look and its subscription. */
interface Reader {
  missed: boolean;
}

/**
 * A store whose waiting readers look first and subscribe then, where they come from openStream. What is appended between
 * the two, and wakes an honest reader, leaves this one asleep.
 */
export function missedWake(store: DataStore): DataStore {
  const unsubscribed = new Map<string, Set<Reader>>();
  const telling = messages((honest) => ({
    appendMessages: (stream, offset, envelopes, options) => {
      for (const reader of unsubscribed.get(stream) ?? []) reader.missed = true;
      return honest.appendMessages(stream, offset, envelopes, options);
    },
  }));
  const missing = cursors((honest, { by, stream }) => ({
    next: async (options) => {
      if (by !== "openStream" || stream === undefined || options?.signal !== undefined) return honest.next(options);
      const readers = unsubscribed.get(stream) ?? new Set();
      unsubscribed.set(stream, readers);
      const reader: Reader = { missed: false };
      let found = false;
      void (async () => {
        for (let turn = 0; turn < LOOKS; turn++) await undefined;
        if (!found) readers.add(reader);
        for (let turn = LOOKS; turn < SUBSCRIBED; turn++) await undefined;
        readers.delete(reader);
      })();
      await honest.next();
      found = true;
      if (reader.missed) await new Promise<never>(() => {});
    },
  }));
  return missing(telling(store));
}

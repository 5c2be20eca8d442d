import type { Envelope, RecordedEnvelope } from "../../src/contract/envelope.ts";
import { InvalidStateError } from "../../src/contract/errors.ts";
import type { ReadOptions } from "../../src/contract/options.ts";
import { cursors, messages } from "./above.ts";
import { missedWake } from "./missed-wake.ts";
import { overriding } from "./overriding.ts";
import { durableLie, lie, type Saboteur } from "./saboteur.ts";

const hasCode = (error: unknown, code: string) => error instanceof InvalidStateError && error.code === code;

export const readSaboteurs: readonly Saboteur[] = [
  lie(
    "always a cursor",
    "openStream of a stream that does not exist gives a cursor, unless it is for offset 0.",
    ["R-1"],
    {
      store: messages((honest) => ({
        openStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) =>
          (await honest.openStream<E>(stream, offset, options)) ??
          (offset === 0 ? undefined : honest.followStream<E>(stream, offset, options)),
      })),
    },
  ),

  lie("listed by its reader", "A stream that is followed is listed before it exists.", ["R-1"], {
    store: messages((honest) => {
      const followed = new Set<string>();
      return {
        followStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) => {
          const cursor = await honest.followStream<E>(stream, offset, options);
          if (offset === 0) followed.add(stream);
          return cursor;
        },
        listStreams: async function* (options) {
          for await (const item of honest.listStreams(options)) {
            followed.delete(item.stream);
            yield item;
          }
          for (const stream of followed) if (stream.startsWith(options?.prefix ?? "")) yield { stream, nextOffset: 0 };
        },
      };
    }),
  }),

  lie("one early", "openStream at an offset of two digits starts one message early.", ["R-2"], {
    store: messages((honest) => ({
      openStream: (stream, offset, options) =>
        honest.openStream(stream, offset >= 10 && offset < 100 ? offset - 1 : offset, options),
    })),
  }),

  lie("moved at the end", "A tryNext that finds the end moves the cursor's offset on.", ["R-3"], {
    store: cursors((honest) => {
      let beyond = 0;
      return {
        next: async (options) => {
          await honest.next(options);
          beyond = 0;
        },
        tryNext: async (options) => {
          const found = await honest.tryNext(options);
          beyond = found ? 0 : 1;
          return found;
        },
        offset: () => honest.offset() + beyond,
      };
    }),
  }),

  lie("clamped", "A cursor opened beyond the end starts at the end.", ["R-4"], {
    store: messages((honest) => {
      const clamp = async (stream: string, offset: number) =>
        Number.isSafeInteger(offset) && offset > 0 ? Math.min(offset, await honest.nextOffset(stream)) : offset;
      return {
        openStream: async (stream, offset, options) => honest.openStream(stream, await clamp(stream, offset), options),
        followStream: async (stream, offset, options) =>
          honest.followStream(stream, await clamp(stream, offset), options),
      };
    }),
  }),

  lie("M08 check before subscribe", "A reader that looks and then subscribes misses what comes between.", ["R-5"], {
    store: missedWake,
  }),

  durableLie(
    "promised too soon",
    "It promises to notice other processes within 1 ms, and looks every 25 ms.",
    ["R-5"],
    {
      withPeers: true,
      store: (store) => overriding(store, { capabilities: { ...store.capabilities, noticeMs: 1 } }),
      capabilities: { noticeMs: 1 },
    },
  ),

  lie("closed by an abort", "Aborting a next closes the cursor.", ["R-6"], {
    store: cursors((honest) => ({
      next: (options) =>
        honest.next(options).catch((error: unknown) => {
          if (options?.signal?.aborted === true) void honest.close();
          throw error;
        }),
    })),
  }),

  lie(
    "before the first",
    "Before its first message a cursor gives the offset before the one it was opened at.",
    ["R-7"],
    {
      store: cursors((honest, { offset }) => ({
        offset: () => {
          try {
            return honest.offset();
          } catch (error) {
            if (hasCode(error, "HOLDFAST_NO_MESSAGE")) return offset - 1;
            throw error;
          }
        },
      })),
    },
  ),

  lie("not busy", "A tryNext while next waits gives false.", ["R-8"], {
    store: cursors((honest) => ({
      tryNext: (options) =>
        honest.tryNext(options).catch((error: unknown) => {
          if (hasCode(error, "HOLDFAST_BUSY")) return false;
          throw error;
        }),
    })),
  }),

  lie("last words", "A cursor still gives its last message after it was closed.", ["R-9"], {
    store: cursors((honest) => {
      let last: RecordedEnvelope | undefined;
      return {
        get: () => last ?? honest.get(),
        close: async () => {
          try {
            last = honest.get();
          } catch {
            // It has none.
          }
          await honest.close();
        },
      };
    }),
  }),

  lie("M13 tail cached", "A cursor that found a stream empty believes it empty for 200 ms.", ["R-10"], {
    store: cursors((honest) => {
      let emptyUntil = 0;
      const hasMessage = () => {
        try {
          return honest.offset() >= 0;
        } catch {
          return false;
        }
      };
      return {
        tryNext: async (options) => {
          if (performance.now() < emptyUntil) return false;
          const found = await honest.tryNext(options);
          if (!found && !hasMessage()) emptyUntil = performance.now() + 200;
          return found;
        },
      };
    }),
  }),

  lie("hoarder", "A cursor that meets a large message reads and holds all that follow.", ["R-11"], {
    store: cursors((honest, { stream, offset, store }) => {
      const hoard: unknown[] = [];
      return {
        next: async (options) => {
          await honest.next(options);
          const { data } = honest.get();
          if (typeof data !== "string" || data.length < 1_000_000 || stream === undefined || hoard.length > 0) return;
          const ahead = await store.messages.followStream(stream, offset);
          while (await ahead.tryNext()) hoard.push(ahead.get());
          await ahead.close();
        },
      };
    }),
  }),

  lie("one field less", "Of a message with a correlationId and a sendAt the sendAt is not given.", ["R-12"], {
    store: cursors((honest) => ({
      get: () => {
        const message = honest.get();
        if (message.correlationId === undefined) return message;
        const { sendAt: _, ...less } = message;
        return less;
      },
    })),
  }),

  lie("abort is a close", "The abort of a cursor's signal closes the cursor, and its reason is forgotten.", ["R-13"], {
    store: messages((honest) => ({
      openStream: async <E extends Envelope>(stream: string, offset: number, options?: ReadOptions) => {
        const signal = options?.signal;
        if (!(signal instanceof AbortSignal) || signal.aborted) return honest.openStream<E>(stream, offset, options);
        const cursor = await honest.openStream<E>(stream, offset);
        signal.addEventListener("abort", () => void cursor?.close());
        return cursor;
      },
    })),
  }),

  lie("left open", "Leaving a loop leaves the cursor open.", ["R-14"], {
    store: cursors((honest) => ({
      [Symbol.asyncIterator]: () => {
        const iterator = honest[Symbol.asyncIterator]();
        return { next: () => iterator.next(), return: async () => ({ done: true, value: undefined }) };
      },
    })),
  }),

  lie("listed again", "A stream that grows while it is listed is listed again.", ["R-15"], {
    store: messages((honest) => ({
      listStreams: async function* (options) {
        const listed = new Map<string, number>();
        for (let grown = true; grown; ) {
          grown = false;
          for await (const item of honest.listStreams(options)) {
            if (listed.get(item.stream) === item.nextOffset) continue;
            grown = true;
            listed.set(item.stream, item.nextOffset);
            yield item;
          }
        }
      },
    })),
  }),
];

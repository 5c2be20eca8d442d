import { posix } from "node:path";
import { InvalidArgumentError } from "../../src/contract/errors.ts";
import type { GloballyOrderedMessageStore } from "../../src/contract/message-store.ts";
import { cursors, messages, state } from "./above.ts";
import { lie, type Saboteur } from "./saboteur.ts";

export const valueSaboteurs: readonly Saboteur[] = [
  lie(
    "M15 serialised twice",
    "A state that is an array is serialised and parsed before it is checked, and then serialised again.",
    ["V-1"],
    {
      store: state((honest) => ({
        upsert: async (persistenceId, expected, value, options) => {
          const first = Array.isArray(value) ? (JSON.parse(JSON.stringify(value)) as typeof value) : value;
          return honest.upsert(persistenceId, expected, first, options);
        },
      })),
    },
  ),

  lie("assigned keys", "Data is given to readers by Object.assign.", ["V-2"], {
    store: cursors((honest) => ({
      get: () => {
        const message = honest.get();
        const { data } = message;
        const plain =
          typeof data === "object" && data !== null && !Array.isArray(data) && !(data instanceof Uint8Array);
        return plain ? { ...message, data: Object.assign({}, data) } : message;
      },
    })),
  }),

  lie("M16 lower case", "Streams whose names differ only in their case are one.", ["V-3"], {
    store: messages(renamed((name) => name.toLowerCase())),
  }),

  lie("M17 normal form", "Streams whose names have the same normal form are one.", ["V-3"], {
    store: messages(renamed((name) => name.normalize("NFC"))),
  }),

  lie(
    "M18 through UTF-8",
    "Where streams are written and read, lone surrogates in their names are taken as UTF-8 leaves them.",
    ["V-3"],
    {
      store: messages((honest) => ({
        ...renamed((name) => Buffer.from(name).toString())(honest),
        nextOffset: (stream, options) => honest.nextOffset(stream, options),
      })),
    },
  ),

  lie("M19 a path", "A stream's name is used as a path.", ["V-3"], {
    store: messages(renamed((name) => (name === "" ? name : posix.join("/", name).slice(1) || "/"))),
  }),

  lie("numbers as text", "An offset may be given as text.", ["V-4"], {
    store: messages((honest) => ({
      openStream: (stream, offset, options) =>
        honest.openStream(stream, typeof offset === "string" ? Number(offset) : offset, options),
    })),
  }),

  lie("decimal megabytes", "A state of more than 4,000,000 characters is too large.", ["V-5"], {
    store: state((honest) => ({
      upsert: async (persistenceId, expected, value, options) => {
        if (typeof value === "string" && value.length > 4_000_000)
          throw new InvalidArgumentError("the state is too large");
        return honest.upsert(persistenceId, expected, value, options);
      },
    })),
  }),

  lie("split batch", "A batch of more than 10,000 messages is appended in two.", ["V-5"], {
    store: messages((honest) => ({
      appendMessages: async (stream, offset, envelopes, options) => {
        if (!Array.isArray(envelopes) || envelopes.length <= 10_000) {
          return honest.appendMessages(stream, offset, envelopes, options);
        }
        await honest.appendMessages(stream, offset, envelopes.slice(0, 10_000), options);
        return honest.appendMessages(stream, offset + 10_000, envelopes.slice(10_000), options);
      },
    })),
  }),

  lie("another zero", "Of a date whose offset from UTC is +00:00 it makes one that ends in Z.", ["V-6"], {
    store: messages((honest) => ({
      appendMessages: async (stream, offset, envelopes, options) => {
        const isOffset = (date: unknown): date is string => typeof date === "string" && date.endsWith("+00:00");
        if (!Array.isArray(envelopes) || !envelopes.some((envelope) => isOffset(envelope?.createdAt))) {
          return honest.appendMessages(stream, offset, envelopes, options);
        }
        const mended = envelopes.map((envelope) => ({
          ...envelope,
          createdAt: envelope.createdAt.replace("+00:00", "Z"),
        }));
        return honest.appendMessages(stream, offset, mended, options);
      },
    })),
  }),
];

/** A store that knows streams by `rename` of their names. */
function renamed(rename: (name: string) => string) {
  // What is no name is left for the honest store to refuse.
  const known = (name: string) => (typeof name === "string" ? rename(name) : name);
  return (honest: GloballyOrderedMessageStore): Partial<GloballyOrderedMessageStore> => ({
    appendMessages: (stream, offset, envelopes, options) =>
      honest.appendMessages(known(stream), offset, envelopes, options),
    openStream: (stream, offset, options) => honest.openStream(known(stream), offset, options),
    followStream: (stream, offset, options) => honest.followStream(known(stream), offset, options),
    nextOffset: (stream, options) => honest.nextOffset(known(stream), options),
  });
}

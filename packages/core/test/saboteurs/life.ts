import { constants, copyFileSync, linkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataStore } from "../../src/contract/data-store.ts";
import { OffsetConflictError, OutcomeUnknownError } from "../../src/contract/errors.ts";
import { interceptCommits } from "../../src/driver/index.ts";
import { messages } from "./above.ts";
import { FORMAT } from "./file-driver.ts";
import { type Line, readLine } from "./lines.ts";
import { overriding } from "./overriding.ts";
import { noHardLinks } from "./places.ts";
import { durableLie, lie, type Saboteur } from "./saboteur.ts";

/** Stores whose next append is to meet a failed sync. */
const failing = new WeakSet<DataStore>();

export const lifeSaboteurs: readonly Saboteur[] = [
  durableLie("M10 closed before flushed", "close resolves while writes are still under way.", ["L-1"], {
    store: (store) =>
      overriding(store, {
        close: async () => {
          // A disk that is not the fastest: the flush takes its time.
          interceptCommits(store, async (commits, deadline, next) => {
            await sleep(1_000);
            return next(commits, deadline);
          });
          void store.close();
        },
      }),
  }),

  durableLie("copies where it can't link", "Without hard links it makes its file by a copy.", ["L-2"], {
    link: (link) => (from, to) =>
      link === noHardLinks ? copyFileSync(from, to, constants.COPYFILE_EXCL) : linkSync(from, to),
  }),

  durableLie("no format too new", "It opens a store of the next format.", ["L-3"], {
    file: { newestFormat: FORMAT + 1 },
  }),

  durableLie("M20 checksum not verified", "It takes what parses, and skips what does not.", ["L-4"], {
    file: { readLine: readUnverified },
  }),

  durableLie("goes on", "After a failed sync it takes the next write.", ["L-5"], {
    store: (store) => {
      const lying: DataStore = messages((honest) => ({
        appendMessages: async (stream, offset, envelopes, options) => {
          await honest.appendMessages(stream, offset, envelopes, options);
          if (!failing.delete(lying)) return;
          throw new OutcomeUnknownError("the sync failed", {
            commitId: options?.commitId ?? "a commit",
            settle: async () => true,
          });
        },
      }))(store);
      return lying;
    },
    faults: (honest) => ({ ...honest, failSync: async (store) => void failing.add(store) }),
  }),

  lie("talkative", "The message of a conflict shows what was to be appended.", ["L-6"], {
    store: messages((honest) => ({
      appendMessages: (stream, offset, envelopes, options) =>
        honest.appendMessages(stream, offset, envelopes, options).catch((error: unknown) => {
          if (!(error instanceof OffsetConflictError)) throw error;
          const { nextOffset } = error;
          throw new OffsetConflictError(`could not append ${JSON.stringify(envelopes)}`, {
            stream,
            offset,
            nextOffset,
          });
        }),
    })),
  }),
];

function readUnverified(bytes: Buffer): Line {
  const line = readLine(bytes);
  if (line.kind !== "damaged") return line;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8", 24));
    return typeof value === "object" && value !== null && ("storeId" in value || "writes" in value)
      ? { kind: "whole", value }
      : { kind: "torn" };
  } catch {
    return { kind: "torn" };
  }
}

import { createRequire } from "node:module";
import { join } from "node:path";
import { order } from "./workload.ts";

/** What we use of emmett-sqlite. */
interface PeerModule {
  getSQLiteEventStore(options: {
    readonly fileName: string;
    readonly schema: { readonly autoMigration: "CreateOrUpdate" };
  }): {
    appendToStream(
      stream: string,
      events: readonly { readonly type: string; readonly data: unknown }[],
    ): Promise<unknown>;
  };
  sqliteConnection(options: { readonly fileName: string }): {
    querySingle<T>(sql: string): Promise<T | null>;
    close(): void;
  };
}

export type PeerTask = { readonly work: "lone" | "together"; readonly count: number };
export type PeerAnswer = { readonly failures: number } | { readonly synchronous: number | undefined };

/** The peer in a process of its own: it prints what goes wrong in it. Runs what it is sent, and answers when it is done. */
const [home = "", fileName = ""] = process.argv.slice(2);
const { getSQLiteEventStore, sqliteConnection } = createRequire(join(home, "package.json"))(
  "@event-driven-io/emmett-sqlite",
) as PeerModule;
const store = getSQLiteEventStore({ fileName, schema: { autoMigration: "CreateOrUpdate" } });
let failures = 0;
let run = 0;

/** Again until it succeeds: it was seen to fail for no fault of the caller. */
async function append(stream: string, index: number): Promise<void> {
  const { type, data } = order(index);
  for (;;) {
    try {
      await store.appendToStream(stream, [{ type, data }]);
      return;
    } catch {
      failures += 1;
    }
  }
}

process.on("message", async ({ work, count }: PeerTask) => {
  failures = 0;
  run += 1;
  if (work === "lone") for (let index = 0; index < count; index++) await append(`stream-${index % 64}`, index);
  // As in its own benchmark: each to a stream of its own.
  else await Promise.all(Array.from({ length: count }, (_, index) => append(`run-${run}-${index}`, index)));
  answer({ failures });
});
await append("first", 0);
const connection = sqliteConnection({ fileName });
answer({
  synchronous: (await connection.querySingle<{ readonly synchronous: number }>("PRAGMA synchronous"))?.synchronous,
});
connection.close();

function answer(message: PeerAnswer): void {
  process.send?.(message);
}

import { benchAppending } from "./appending.ts";
import { benchPeer } from "./peer.ts";
import { benchReplay } from "./replaying.ts";
import { benchWaking } from "./waking.ts";

/** SQLite beside better-sqlite3 by hand. */
export async function benchSqlite(folder: string): Promise<void> {
  console.log("\nEvery append is durable when it is acknowledged: WAL, synchronous = FULL, by hand and by us.");
  await benchAppending(folder);
  await benchPeer(folder);
  await benchWaking(folder, "sqlite", { foreignP50Ms: 5 });
  await benchReplay(folder);
}

import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createEnvelope, SqliteDataStore } from "@holdfast/sqlite";

/** On a small file system of its own: appends until it is full, makes room, appends again, and reads everything. */
const [, , folder = ""] = process.argv;
execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
const ballast = `${folder}/ballast`;
writeFileSync(ballast, Buffer.alloc(1_000_000));
const path = `${folder}/store.db`;
const store = await SqliteDataStore.open({ path });
const append = async (offset: number) => {
  try {
    await store.messages.appendMessages("s", offset, [createEnvelope({ type: "t", data: "x".repeat(2_000) })]);
    return "ok";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};
let acknowledged = 0;
let full = "ok";
while (full === "ok") {
  full = await append(acknowledged);
  if (full === "ok") acknowledged += 1;
}
const kept = await store.messages.nextOffset("s");
rmSync(ballast);
const afterwards = await append(acknowledged);
await store.close();
const reopened = await SqliteDataStore.open({ path });
let read = 0;
{
  await using cursor = await reopened.messages.openGlobal(0);
  while (await cursor.tryNext()) read += 1;
}
await reopened.close();
process.send?.({ acknowledged, full, kept, afterwards, read });
process.disconnect();

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";

/** On a small file system of its own: appends until it is full, makes room, appends again, and reads everything. */
const [, , folder = "", size = "0"] = process.argv;
execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
const ballast = `${folder}/ballast`;
writeFileSync(ballast, Buffer.alloc(1_000_000));
const directory = `${folder}/store`;
const store = await FilesystemDataStore.open({ directory });
const other = await FilesystemDataStore.open({ directory });
const append = async (offset: number) => {
  try {
    await store.messages.appendMessages("s", offset, [createEnvelope({ type: "t", data: "x".repeat(Number(size)) })]);
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
const again = await append(acknowledged);
const kept = [await store.messages.nextOffset("s"), await other.messages.nextOffset("s")];
rmSync(ballast);
const afterwards = await append(acknowledged);
await store.close();
await other.close();
const reopened = await FilesystemDataStore.open({ directory });
let read = 0;
{
  await using cursor = await reopened.messages.openGlobal(0);
  while (await cursor.tryNext()) read += 1;
}
await reopened.close();
const begun = readFileSync(`${directory}/log/000000000001.jsonl`, "utf8").match(/\n\{"crc":/g)?.length ?? 0;
process.send?.({ acknowledged, full, again, kept, afterwards, read, torn: begun - read });
process.disconnect();

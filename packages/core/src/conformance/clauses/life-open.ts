import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { message, numbered } from "./fixtures.ts";

const unsupported = { name: "UnsupportedError", code: "HOLDFAST_UNSUPPORTED" } as const;

export const incapableClause = clause(
  "L-2",
  "`open` on a backend that cannot keep these promises (an S3 without working conditional writes, SQLite without WAL, a file system without hard links) is an `UnsupportedError` that says what is missing.",
  check(
    { title: "an incapable backend", level: "fault", needs: { durable: true }, hook: "openIncapable" },
    async (context) => {
      const opening = (async () => {
        const store = await context.faults.openIncapable?.();
        await store?.close();
      })();
      const { message: says } = await rejects(opening, unsupported, "open on a backend that cannot keep the promises");
      isTrue(says.length >= 20, "the message says what is missing", says);
    },
  ),
);

/** The bytes of a place that is a file or a folder, by path; undefined where it is something else. */
async function bytesOf(place: string): Promise<Map<string, string> | undefined> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) return undefined;
  const names = found.isDirectory() ? await readdir(place, { recursive: true, withFileTypes: true }) : [];
  const files = found.isDirectory()
    ? names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
    : [place];
  const digests = files.map(
    async (file) =>
      [
        file,
        createHash("sha256")
          .update(await readFile(file))
          .digest("hex"),
      ] as const,
  );
  return new Map(await Promise.all(digests));
}

export const newerClause = clause(
  "L-3",
  "`open` on a store of a newer format is an `UnsupportedError` and changes nothing.",
  check({ title: "a newer format", level: "fault", needs: { durable: true }, hook: "markNewer" }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    await store.messages.appendMessages("orders", 0, numbered(0, 3));
    await store.state.upsert("order", 0, { total: 1 });
    await store.close();
    await context.faults.markNewer?.(place.name);
    const before = await bytesOf(place.name);
    for (let time = 1; time <= 3; time++) {
      const { message: says } = await rejects(place.open(), unsupported, `open of a newer format, time ${time}`);
      isTrue(says.length >= 20, "the message says that the store is of a newer format", says);
    }
    equal(await bytesOf(place.name), before, "the place's bytes after open was refused");
  }),
  check(
    { title: "another place is not touched by it", level: "fault", needs: { durable: true }, hook: "markNewer" },
    async (context) => {
      const [place, other] = [await context.place(), await context.place()];
      for (const one of [place, other]) {
        const store = await one.open();
        await store.messages.appendMessages("orders", 0, [message(one.name)]);
        await store.close();
      }
      await context.faults.markNewer?.(place.name);
      await rejects(place.open(), unsupported, "open of a newer format");
      equal(await (await other.open()).messages.nextOffset("orders"), 1, "nextOffset of a store of this format");
    },
  ),
);

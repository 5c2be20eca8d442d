import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { seal } from "@holdfast/core/log";
import { FilesystemDataStore } from "@holdfast/filesystem";
import { canTrace, freshFolder } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Publisher } from "../src/files.ts";
import { FilesystemLog } from "../src/filesystem-log.ts";
import { encodeMark, MarkFile } from "../src/mark.ts";
import { Child } from "./child.ts";

let folder = "";
let directory = "";
beforeEach(async () => {
  folder = await freshFolder();
  directory = join(folder, "store");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(canTrace())("by strace", () => {
  test("each append is on disk when the log says that it is in it, not only once it is read", async () => {
    await (await FilesystemDataStore.open({ directory })).close();
    const trace = join(folder, "trace");
    const options = [
      "-f",
      "-qq",
      "-P",
      join(directory, "log/000000000001.jsonl"),
      "-e",
      "trace=fdatasync",
      "-o",
      trace,
    ];
    const child = new Child("append-blocks", [directory, "4", "20000"], ["strace", ...options]);
    expect(await child.next()).toEqual({ told: Array(4).fill("appended"), last: "appended", found: 4 });
    await child.ended();
    expect(readFileSync(trace, "utf8").match(/fdatasync\(/g)?.length).toBe(4);
  });
});

test("a folder made and opened by several at once is one store", async () => {
  const stores = await Promise.all(Array.from({ length: 8 }, () => FilesystemDataStore.open({ directory })));
  const [first, ...others] = stores.map(({ id }) => id);
  for (const store of stores) await store.close();
  expect(others).toEqual(others.map(() => first));
});

test("the mark that close leaves is the newest, however soon it came after another", async () => {
  await new Publisher(folder).create(join(folder, "mark"), encodeMark(undefined));
  const mark = new MarkFile(folder);
  const marks = [1, 2, 3].map((position) => ({ witness: { position, chain: 7 }, durable: position }));
  for (const each of marks) mark.note(each);
  mark.close();
  const after = new MarkFile(folder);
  expect(after.found).toEqual(marks[2]);
  after.close();
});

test("a writer that slept does not make the next file anew where it is missing", async () => {
  const options = { directory, noticeMs: 25, segmentBytes: 300 };
  const [sleeper, log] = [await FilesystemLog.open(options), await FilesystemLog.open(options)];
  const append = (to: FilesystemLog, name: string) =>
    to.append(seal(`"block":1,"id":"${name}","commits":[]}\n[1]\n`), performance.now() + 10_000);
  const second = join(directory, "log/000000000002.jsonl");
  for (let index = 0; !existsSync(second); index++)
    expect(await append(log, `n${index}`)).toEqual({ kind: "appended" });
  rmSync(second);
  expect(await append(sleeper, "late")).toMatchObject({ kind: "notWritten", cause: { kind: "corruption" } });
  expect(existsSync(second)).toBe(false);
  for (const each of [sleeper, log]) await each.close();
});

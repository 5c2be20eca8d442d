import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { createEnvelope, FilesystemDataStore } from "@holdfast/filesystem";
import { freshFolder } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkPlatform, unfitFileSystem } from "../src/directory.ts";
import { Child } from "./child.ts";
import { faults } from "./faults.ts";

let folder = "";
let directory = "";

beforeEach(async () => {
  folder = await freshFolder();
  directory = join(folder, "store");
});
afterEach(() => rm(folder, { recursive: true }));

const open = (path: unknown = directory) => FilesystemDataStore.open({ directory: path as string });
const message = () => createEnvelope({ type: "t", data: 1 });

/** Makes a store with one message in stream "s"; gives its id. */
async function makeStore(): Promise<string> {
  const store = await open();
  await store.messages.appendMessages("s", 0, [message()]);
  await store.close();
  return store.id;
}

/** All that is in a folder, by path, with what the files hold. */
function snapshot(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found[relative(root, path)] = entry.isFile() ? readFileSync(path, "latin1") : "";
  }
  return found;
}

describe("what can't be opened", () => {
  test.each(["", "a\0b", "\ud800", 7, undefined, null])("directory %j", async (wrong) => {
    const options = { directory: wrong as string };
    await expect(FilesystemDataStore.open(options)).rejects.toMatchObject({ code: "HOLDFAST_INVALID_ARGUMENT" });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder inside one that does not exist", async () => {
    await expect(open(join(folder, "missing", "store"))).rejects.toMatchObject({ code: "HOLDFAST_UNAVAILABLE" });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(["store", "store/below"])("a file in the way of %s", async (name) => {
    writeFileSync(directory, "Dear diary");
    await expect(open(join(folder, name))).rejects.toMatchObject({
      code: name === "store" ? "HOLDFAST_INVALID_ARGUMENT" : "HOLDFAST_UNAVAILABLE",
    });
    expect(readFileSync(directory, "utf8")).toBe("Dear diary");
  });

  test.each([
    { what: "a file", make: () => writeFileSync(join(directory, "diary.txt"), "Dear diary") },
    { what: "a folder", make: () => mkdirSync(join(directory, "src")) },
    { what: "a hidden file", make: () => writeFileSync(join(directory, ".env"), "SECRET=1") },
    { what: "names of ours, and one that is not", make: () => mkdirSync(join(directory, "log")) },
  ])("a folder that holds $what and no store: it stays as it is", async ({ what, make }) => {
    mkdirSync(directory);
    make();
    if (what.startsWith("names")) writeFileSync(join(directory, "other"), "x");
    const before = snapshot(directory);
    await expect(open()).rejects.toMatchObject({ code: "HOLDFAST_INVALID_ARGUMENT" });
    expect(snapshot(directory)).toEqual(before);
  });

  test("a store of a newer format, which stays as it is", async () => {
    await makeStore();
    await faults.markNewer?.(folder);
    const before = snapshot(directory);
    await expect(open()).rejects.toMatchObject({ code: "HOLDFAST_UNSUPPORTED" });
    expect(snapshot(directory)).toEqual(before);
  });

  test.each([
    [0x6969, "NFS"],
    [0xff534d42, "CIFS"],
    [0xff534d42 | 0, "CIFS"],
    [0x01021997, "9P"],
    [0x65735546, "FUSE"],
    [0xef53, undefined],
    [0x58465342, undefined],
    [0x9123683e, undefined],
    [0x01021994, undefined],
  ])("a file system of type %i: %s", (type, name) => {
    expect(unfitFileSystem(type)).toBe(name);
  });

  test("the kernel's own file systems", async () => {
    if (process.platform !== "linux") return;
    await expect(open("/proc/self/fdinfo")).rejects.toMatchObject({ code: "HOLDFAST_UNSUPPORTED", message: /proc/ });
    await expect(open("/proc/self/store")).rejects.toMatchObject({ code: "HOLDFAST_UNSUPPORTED" });
  });

  test.each(["win32", "freebsd", "aix"])("another system: %s", (platform) => {
    expect(() => checkPlatform(platform)).toThrow(expect.objectContaining({ kind: "unsupported" }));
    expect(() => checkPlatform("linux")).not.toThrow();
    expect(() => checkPlatform("darwin")).not.toThrow();
  });

  test("a folder that can't be written", async () => {
    await makeStore();
    const paths = [directory, ...["log", "tmp", "segments", "checkpoints"].map((name) => join(directory, name))];
    for (const path of paths) chmodSync(path, 0o500);
    // Root may write all the same, unless it has lost that power.
    const powerless = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
    try {
      expect(await new Child("open-and-tell", [directory], powerless).next()).toBe("HOLDFAST_UNAVAILABLE");
    } finally {
      for (const path of paths) chmodSync(path, 0o700);
    }
    const store = await open();
    expect(await store.messages.nextOffset("s")).toBe(1);
    await store.close();
  });
});

describe("what is not as it was left", () => {
  test.each(["store.json", "mark", "log", "segments", "checkpoints", "tmp", "log/000000000001.jsonl"])(
    "%s is missing: damage",
    async (name) => {
      await makeStore();
      rmSync(join(directory, name), { recursive: true });
      const before = snapshot(directory);
      await expect(open()).rejects.toMatchObject({ code: "HOLDFAST_CORRUPTION" });
      expect(snapshot(directory)).toEqual(before);
    },
  );

  test.each(["store.json", "mark", "log", "segments", "checkpoints", "tmp", "log/000000000001.jsonl"])(
    "%s is a symbolic link: refused",
    async (name) => {
      await makeStore();
      renameSync(join(directory, name), join(folder, "elsewhere"));
      symlinkSync(join(folder, "elsewhere"), join(directory, name));
      const before = snapshot(folder);
      await expect(open()).rejects.toMatchObject({ code: "HOLDFAST_CORRUPTION" });
      expect(snapshot(folder)).toEqual(before);
    },
  );

  test("README.txt is the reader's: without it the store opens", async () => {
    const id = await makeStore();
    rmSync(join(directory, "README.txt"));
    const store = await open();
    expect(store.id).toBe(id);
    await store.close();
  });
});

describe("what can be opened", () => {
  test("an empty folder, an odd name, a relative one, and a symbolic link to it", async () => {
    const odd = join(folder, "a?b#c %20'\"\u{1f480}");
    mkdirSync(odd);
    const store = await open(odd);
    await store.messages.appendMessages("s", 0, [message()]);
    symlinkSync(odd, join(folder, "link"));
    for (const path of [join(folder, "link"), relative(process.cwd(), odd)]) {
      const same = await open(path);
      expect(same.id).toBe(store.id);
      expect(await same.messages.nextOffset("s")).toBe(1);
      await same.close();
    }
    await store.close();
    expect(readdirSync(folder).length).toBe(2);
  });

  test("what is left of a creation that was cut short, at each of its steps", async () => {
    await makeStore();
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    const steps = ["tmp/", "log/", "segments/", "checkpoints/", "README.txt", "mark", "log/000000000001.jsonl"];
    const whole = join(folder, "whole");
    await (await open(whole)).close();
    for (let done = 0; done <= steps.length; done++) {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      for (const step of steps.slice(0, done)) {
        if (step.endsWith("/")) mkdirSync(join(directory, step));
        else writeFileSync(join(directory, step), readFileSync(join(whole, step)));
      }
      if (done > 0) writeFileSync(join(directory, "tmp", "8b2e7c1e-0000-4000-8000-000000000000.tmp"), "torn");
      const store = await open();
      await store.messages.appendMessages("s", 0, [message()]);
      await store.close();
    }
  });

  test("with files of others in it, which are left alone", async () => {
    const id = await makeStore();
    const strangers = [
      "notes.txt",
      "log/notes.txt",
      "log/000000000002.jsonl.bak",
      "checkpoints/notes",
      "tmp/notes.tmp",
    ];
    for (const name of strangers) writeFileSync(join(directory, name), "mine");
    mkdirSync(join(directory, "segments", "old"));
    const store = await open();
    expect(store.id).toBe(id);
    await store.messages.appendMessages("s", 1, [message()]);
    await store.close();
    for (const name of strangers) expect(readFileSync(join(directory, name), "utf8")).toBe("mine");
  });

  test("what dead processes left in the making goes after a day", async () => {
    await makeStore();
    const [old, young] = ["0", "1"].map((digit) =>
      join(directory, "tmp", `${digit}b2e7c1e-0000-4000-8000-000000000000.tmp`),
    );
    for (const path of [old, young]) writeFileSync(path ?? "", "torn");
    const dayAgo = Date.now() / 1_000 - 25 * 60 * 60;
    utimesSync(old ?? "", dayAgo, dayAgo);
    await (await open()).close();
    expect([existsSync(old ?? ""), existsSync(young ?? "")]).toEqual([false, true]);
  });

  test("one folder by eight processes at once, which make one store", async () => {
    const children = Array.from({ length: 8 }, () => new Child("open-and-tell", [directory]));
    const ids = await Promise.all(children.map((child) => child.next<string>()));
    const store = await open();
    expect(ids).toEqual(ids.map(() => store.id));
    await store.close();
    expect(readdirSync(join(directory, "tmp"))).toEqual([]);
  });
});

describe("what it leaves", () => {
  test("files that only their owner may read, README.txt, and no names of streams or ids", async () => {
    const store = await open();
    const names = ["../../escape", "a/b", "CON", ".", "..", "x".repeat(512), "nul\0byte", "\u202e"];
    for (const name of names) {
      await store.messages.appendMessages(name, 0, [message()]);
      await store.state.upsert(name, 0, 1);
    }
    await store.close();
    const found = snapshot(directory);
    expect(Object.keys(found).sort()).toEqual(
      ["README.txt", "checkpoints", "log", "log/000000000001.jsonl", "mark", "segments", "store.json", "tmp"].sort(),
    );
    expect(readdirSync(folder)).toEqual(["store"]);
    for (const name of ["", ...Object.keys(found)]) {
      const stats = statSync(join(directory, name));
      expect(stats.mode & 0o777, name).toBe(stats.isDirectory() ? 0o700 : 0o600);
      expect(lstatSync(join(directory, name)).isSymbolicLink()).toBe(false);
    }
    for (const line of (found["log/000000000001.jsonl"] ?? "").split("\n")) {
      if (line.trim() !== "") expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  test("no open file after close", async () => {
    const stores = [await open(), await open()];
    await stores[0]?.messages.appendMessages("s", 0, [message()]);
    const cursor = await stores[1]?.messages.openGlobal(1);
    const waiting = cursor?.next().catch((error: unknown) => (error as { readonly code: string }).code);
    for (const store of stores) await store.close();
    expect(await waiting).toBe("HOLDFAST_CLOSED");
    expect(openFiles().filter((file) => file.startsWith(folder))).toEqual([]);
  });

  test("nor after an open that failed", async () => {
    await makeStore();
    writeFileSync(join(directory, "log/000000000001.jsonl"), "");
    await expect(open()).rejects.toMatchObject({ code: "HOLDFAST_CORRUPTION" });
    expect(openFiles().filter((file) => file.startsWith(folder))).toEqual([]);
  });
});

/** What this process has open, where the system tells. */
function openFiles(): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

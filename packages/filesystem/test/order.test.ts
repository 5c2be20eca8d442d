import { mkdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canTrace, freshFolder } from "@holdfast/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Child } from "./child.ts";

/** What a process did to its files, in order: what is written, made durable, or given a name. */
interface Step {
  readonly kind: "write" | "sync" | "name";
  readonly path: string;
  /** Of a name: what was there before it. */
  readonly from: string;
  readonly text: string;
}

describe.runIf(canTrace())("what is durable before what, by strace", () => {
  let folder = "";
  let directory = "";
  let steps: readonly Step[] = [];

  beforeAll(async () => {
    folder = await freshFolder();
    directory = join(folder, "store");
    mkdirSync(directory);
    const log = join(folder, "trace");
    const calls = "trace=write,fsync,fdatasync,link,linkat,rename";
    const child = new Child(
      "append-small",
      [directory, "writer", "80"],
      ["strace", "-f", "-qq", "-yy", "-s", "200", "-e", calls, "-o", log],
    );
    expect(await child.next()).toMatchObject({ name: "writer" });
    await child.ended();
    steps = readFileSync(log, "utf8").split("\n").flatMap(stepIn);
  });
  afterAll(() => rm(folder, { recursive: true }));

  function stepIn(line: string): readonly Step[] {
    const [, call = "", args = ""] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
    if (call === "link" || call === "rename" || call === "linkat") {
      const [from = "", path = ""] = [...args.matchAll(/"([^"]*)"/g)].map(([, name]) => name ?? "");
      return path.startsWith(directory) && !line.includes(" = -1 ") ? [{ kind: "name", path, from, text: "" }] : [];
    }
    const [, path = "", text = ""] = /^\d+<([^>]*)>(.*)/.exec(args) ?? [];
    if (!path.startsWith(directory)) return [];
    return [{ kind: call === "write" ? "write" : "sync", path, from: "", text }];
  }

  const find = (kind: Step["kind"], path: string, from = 0) =>
    steps.findIndex((step, index) => index >= from && step.kind === kind && step.path === path);
  const named = () =>
    steps.flatMap((step, index) =>
      step.kind === "name" && !step.path.startsWith(join(directory, "tmp")) ? [{ ...step, index }] : [],
    );

  test("every file is synced before it gets its name, and its folder after", () => {
    const files = named();
    expect(files.length).toBeGreaterThan(10);
    for (const { path, from, index } of files) {
      const synced = find("sync", from);
      expect(synced, path).toBeGreaterThanOrEqual(0);
      expect(synced, path).toBeLessThan(index);
      expect(find("sync", dirname(path), index), path).toBeGreaterThan(index);
    }
  });

  test("store.json comes last of what creating a store makes, and all folders are synced before it", () => {
    const files = named().map(({ path }) => path.slice(directory.length + 1));
    expect(files.indexOf("store.json")).toBe(3);
    const store = find("name", join(directory, "store.json"));
    for (const path of [directory, join(directory, "log")]) expect(find("sync", path)).toBeLessThan(store);
    expect(find("write", join(directory, "log", "000000000001.jsonl"))).toBeGreaterThan(find("sync", directory, store));
  });

  test("the log goes on in another file only when that is durable, and all of the one before is", () => {
    let rolls = 0;
    for (const { path, index } of named()) {
      const number = Number(/log\/(\d{12})/.exec(path)?.[1] ?? 0);
      const before = join(directory, "log", `${String(number - 1).padStart(12, "0")}.jsonl`);
      if (number < 2 || find("name", path) !== index) continue;
      rolls += 1;
      const folderSynced = find("sync", join(directory, "log"), index);
      const told = steps.findIndex(
        (step) => step.kind === "write" && step.path === before && step.text.includes('\\"log\\":\\"next\\"'),
      );
      const synced = find("sync", before, told);
      const written = find("write", path);
      expect(index).toBeLessThan(folderSynced);
      expect(folderSynced).toBeLessThan(told);
      expect(told).toBeLessThan(synced);
      if (written >= 0) expect(synced).toBeLessThan(written);
    }
    expect(rolls).toBeGreaterThan(5);
  });

  test("a checkpoint comes after the segments it names, and stubs after the checkpoint", () => {
    const files = named();
    const checkpoints = files.filter(({ path }) => path.includes("/checkpoints/"));
    expect(checkpoints.length).toBeGreaterThan(1);
    for (const { index } of checkpoints) {
      const segment = files.filter((file) => file.index < index && file.path.includes("/segments/")).at(-1);
      expect(segment).toBeDefined();
      expect(find("sync", join(directory, "segments"), segment?.index)).toBeLessThan(index);
    }
    const stubs = files.filter(({ path, index }) => path.includes("/log/") && find("name", path) !== index);
    expect(stubs.length).toBeGreaterThan(0);
    const [first] = checkpoints;
    for (const { index } of stubs) {
      expect(find("sync", join(directory, "checkpoints"), first?.index)).toBeLessThan(index);
    }
  });
});

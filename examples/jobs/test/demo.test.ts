import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { demo } from "../src/demo.ts";

test("three processes share out the jobs, and nobody does one twice", async () => {
  const folder = await mkdtemp(join(tmpdir(), "jobs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  await demo(join(folder, "store"), 60, (line) => lines.push(...line.split("\n")));
  const counts = lines.flatMap((line) => /^\w+ did (\d+) jobs$/.exec(line)?.slice(1).map(Number) ?? []);
  expect(counts).toHaveLength(3);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
  expect(lines.at(-2)).toMatch(/^60 of 60 jobs done, each once, by /);
});

import { readFileSync } from "node:fs";
import { type Block, commitHeader, encodeBlock, parseBlock } from "../../src/commit-log/block.ts";
import type { Merged } from "../../src/commit-log/merge.ts";
import { merge } from "../../src/commit-log/merge.ts";
import { isWhole, sealInPlace, statedSize } from "../../src/commit-log/seal.ts";
import { View } from "../../src/commit-log/view.ts";
import type { Commit, Write } from "../../src/driver/commit.ts";

/** Commits that meet every case of the apply rule: what takes effect, what is refused and why, repeats, transactions. */
export const groups: readonly (readonly Commit[])[] = [
  [commit("c1", append("orders", 0, "a", "b")), commit("c2", append("orders", 2, "c"), state("total", 0, "1"))],
  [
    commit("c3", append("orders", 2, "late")),
    commit("c4", append("orders", 4, "beyond the end")),
    commit("c5", state("total", 1, "2"), state("total", 2, "3")),
    commit("c6", append("other ✓", 0, "é"), state("total", 0, "stale")),
  ],
  [
    commit("c1", append("orders", 0, "a", "b")),
    commit("c7", deletion("total", 3)),
    commit("c8", append("orders", 3, "d")),
  ],
];

/** Where the blocks of the golden log lie. */
export const POSITIONS = [0, 1, 2];

export function goldenFile(name: string): Buffer {
  return readFileSync(new URL(`golden/${name}`, import.meta.url));
}

/** The blocks of the golden log, which lie behind each other in one file. */
export function goldenBlocks(): readonly Buffer[] {
  const bytes = goldenFile("log.jsonl");
  const blocks: Buffer[] = [];
  for (let at = 0; isWhole(bytes, at); ) {
    const size = statedSize(bytes, at) ?? 0;
    blocks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return blocks;
}

export function applyAll(blocks: readonly Buffer[]) {
  const view = new View(0);
  const decisions = blocks.map((bytes, index) =>
    view.apply(POSITIONS[index] ?? 0, parseBlock(bytes)).map((refusal) => refusal ?? null),
  );
  view.position = 3;
  return { view, decisions };
}

export function mergeAll(blocks: readonly Buffer[]): Promise<Merged> {
  const { view } = applyAll(blocks);
  return merge({
    checkpoint: view.checkpoint,

    absorbed: [],
    kept: 0,
    runs: view.runs,
    stateRuns: view.stateRuns,
    blocks: new Map(blocks.map((bytes, index) => [POSITIONS[index] ?? 0, bytes])),
    to: 3,
    last: view.last,
    nextGlobal: view.nextGlobal,
    name: "golden",
    nowMs: 0,
    retired: [],
  });
}

/** A group as it is written, but for its id, which is random. */
export function encodeAs(commits: readonly Commit[], { id, after }: Block): Buffer {
  const { block, bytes } = encodeBlock(commits, commits.map(commitHeader), after);
  return sealInPlace(Buffer.from(bytes.toString("utf8").replace(block.id, id)));
}

function commit(id: string, ...writes: readonly Write[]): Commit {
  return { id, writes, bytes: 0 };
}

function append(stream: string, offset: number, ...texts: readonly string[]): Write {
  return {
    kind: "append",
    stream,
    offset,
    records: texts.map((text) => `[0,"${stream}","${text}"]`),
  };
}

function state(persistenceId: string, expectedRevision: number, text: string): Write {
  const record = `[0,"${persistenceId}",${JSON.stringify(text)}]`;
  return {
    kind: "state",
    persistenceId,
    expectedRevision,
    record,
    live: true,
    receipt: `[0,"r${expectedRevision + 1}"]`,
  };
}

function deletion(persistenceId: string, expectedRevision: number): Write {
  const receipt = `[0,"r${expectedRevision + 1}"]`;
  return {
    kind: "state",
    persistenceId,
    expectedRevision,
    record: "[0]",
    live: false,
    receipt,
  };
}

import type { Mutant } from "./mutant.ts";

const MERGER = "commit-log/merger.ts";
const MERGE = "commit-log/merge.ts";
const CHECKPOINTS = "commit-log/checkpoint-reader.ts";
const REBUILD = "commit-log/rebuild.ts";

/** Of merging, checkpoints, and what is read from them. */
export const mergeMutants: readonly Mutant[] = [
  {
    name: "the checkpoint is ahead of what was merged",
    breaks: "W-10",
    found: "log",
    file: MERGER,
    find: "at < to && at >= position;",
    replace: "at < last.position && at >= position;",
  },
  {
    name: "the checkpoint is published before its segment",
    breaks: "L-4",
    found: "log",
    file: MERGER,
    find: "    await this.#archive.writeSegment(name, merged.segment);\n",
    replace: "    setTimeout(() => void this.#archive.writeSegment(name, merged.segment).catch(() => undefined), 1);\n",
  },
  {
    name: "blocks are forgotten before the checkpoint that holds them",
    breaks: "W-10",
    found: "both",
    file: MERGER,
    find: "    await this.#archive.writeSegment(name, merged.segment);\n",
    replace: "    await this.#log.forget?.(stretch.to);\n    await this.#archive.writeSegment(name, merged.segment);\n",
  },
  {
    name: "more is forgotten than was merged",
    breaks: "W-10",
    found: "both",
    file: MERGER,
    find: "    await this.#log.forget?.(stretch.to);\n",
    replace: "    await this.#log.forget?.(view.position);\n",
  },
  {
    name: "two mergers publish: whoever comes last",
    breaks: "R-10",
    found: "log",
    file: MERGER,
    find: "this.#archive.replaceCheckpoint(version, merged.checkpoint)",
    replace:
      "this.#archive.replaceCheckpoint((await this.#archive.readCheckpoint())?.version ?? version, merged.checkpoint)",
  },
  {
    name: "who loses the race for the checkpoint takes its segment away",
    breaks: "L-4",
    found: "both",
    file: MERGER,
    find: 'return (await this.#engine.checkpoints.reload()).kind === "moved";',
    replace:
      'await this.#archive.removeSegment(name);\n      return (await this.#engine.checkpoints.reload()).kind === "moved";',
  },
  {
    name: "segments go when the next checkpoint no longer names them",
    breaks: "L-4",
    found: "log",
    file: MERGER,
    find: "    for (const { name: old } of expired) await this.#archive.removeSegment(old);\n",
    replace: "    for (const { name: old } of checkpoint.segments) await this.#archive.removeSegment(old);\n",
  },
  {
    name: "what no checkpoint names goes at once, though another is about to publish it",
    breaks: "L-4",
    found: "log",
    file: MERGER,
    find: "    return old.map((name) => ({ name, atMs: nowMs }));\n",
    replace:
      "    for (const name of unknown) await this.#archive.removeSegment(name);\n    return old.map((name) => ({ name, atMs: nowMs })).slice(0, 0);\n",
  },
  {
    name: "merging drops receipts within the nine of W-3",
    breaks: "W-3",
    found: "log",
    file: MERGE,
    find: ".slice(0, KEPT_RECEIPTS);",
    replace: ".slice(0, 3);",
  },
  {
    name: "merging forgets where older receipts lie",
    breaks: "W-3",
    found: "log",
    file: MERGE,
    find: "    extents.push(extent);\n    count += extent.count;",
    replace: "    count += extent.count + KEPT_RECEIPTS;",
  },
  {
    name: "merging forgets a stream's older groups",
    breaks: "A-4",
    found: "log",
    file: MERGE,
    find: "extents = back === undefined ? [...extents, extent] : [extent];",
    replace: "extents = [extent];",
  },
  {
    name: "a list of older groups is lost where its segment is merged again",
    breaks: "A-4",
    found: "log",
    file: MERGE,
    find: "if (back === undefined) return { firstOffset, extents: extents.filter(({ segment }) => segment < kept) };",
    replace: "if (back !== null) return { firstOffset, extents: extents.filter(({ segment }) => segment < kept) };",
  },
  {
    name: "merged messages take the order of their streams",
    breaks: "G-4",
    found: "log",
    file: "commit-log/pieces.ts",
    find: "globals: [run.global, run.count], body",
    replace: "globals: [run.global ^ 1, run.count], body",
  },
  {
    name: "merging keeps the oldest state",
    breaks: "R-10",
    found: "log",
    file: MERGE,
    find: "const newest = pieces.at(-1);",
    replace: "const newest = pieces.at(0);",
  },
  {
    name: "a deleted state comes back by merging",
    breaks: "S-4",
    found: "log",
    file: MERGE,
    find: "encodeStateGroup({ persistenceId, revision, live }, [record, ...receipts])",
    replace: "encodeStateGroup({ persistenceId, revision, live: true }, [record, ...receipts])",
  },
  {
    name: "a checkpoint that was made again stands on the oldest segment",
    breaks: "W-10",
    found: "log",
    file: REBUILD,
    find: "header.to <= newest.header.to) continue;",
    replace: "header.to >= newest.header.to) continue;",
  },
  {
    name: "a checkpoint that was made again knows fewer receipts",
    breaks: "W-3",
    found: "log",
    file: REBUILD,
    find: "    extents.push(extent);\n",
    replace: "",
  },
  {
    name: "a checkpoint that is ahead does not move the log on",
    breaks: "G-1",
    found: "log",
    file: "commit-log/view.ts",
    find: "    this.nextGlobal = checkpoint.nextGlobal;\n",
    replace: "",
  },
  {
    name: "two reads that meet a merge at once: one takes the other's news for damage",
    breaks: "L-4",
    found: "log",
    file: CHECKPOINTS,
    find: "        if (this.#view.checkpoint === checkpoint) await this.reload();\n",
    replace:
      '        if (this.#view.checkpoint === checkpoint && (await this.reload()).kind !== "moved") throw missing();\n',
  },
];

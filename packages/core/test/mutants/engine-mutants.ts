import type { Mutant } from "./mutant.ts";

const DRIVER = "commit-log/log-driver.ts";
const VIEW = "commit-log/view.ts";
const FOLLOWER = "commit-log/follower.ts";

/** Of how commits are decided, appended and answered. */
export const engineMutants: readonly Mutant[] = [
  {
    name: "M01 decided where a block is made, and not where it is applied",
    breaks: "A-1, A-7",
    found: "log",
    file: DRIVER,
    find: 'decisions.map((refusal) => (refusal === undefined ? { kind: "committed" } : refused(refusal)))',
    replace: 'decisions.map(() => ({ kind: "committed" }))',
  },
  {
    name: "M01 applied without a look at its preconditions",
    breaks: "A-4, S-5",
    found: "log",
    file: VIEW,
    find: "if (refusal === undefined) this.#take(commit, position, at);",
    replace: "this.#take(commit, position, at);",
  },
  {
    name: "M02 the offset after the next one holds as well",
    breaks: "A-2, A-4",
    found: "log",
    file: "commit-log/apply.ts",
    find: "if (write[2] !== actual) return",
    replace: "if (write[2] !== actual && write[2] !== actual + 1) return",
  },
  {
    name: "M03 an unknown outcome told as a conflict",
    breaks: "W-4",
    found: "log",
    file: DRIVER,
    find: "return commits.map(() => appended);",
    replace:
      'return commits.map(() => (appended.kind === "uncertain" ? { kind: "refused", write: 0, actual: 999 } : appended));',
  },
  {
    name: "M04 an unknown outcome told as a success",
    breaks: "W-10",
    found: "log",
    file: DRIVER,
    find: "return commits.map(() => appended);",
    replace: 'return commits.map(() => (appended.kind === "uncertain" ? { kind: "committed" } : appended));',
  },
  {
    name: "an unknown outcome told as not written",
    breaks: "W-5",
    found: "log",
    file: DRIVER,
    find: "return commits.map(() => appended);",
    replace: 'return commits.map(() => (appended.kind === "uncertain" ? { kind: "notWritten", cause: 0 } : appended));',
  },
  {
    name: "M06 the writes of a commit are applied one by one",
    breaks: "W-1",
    found: "log",
    file: VIEW,
    find: "if (refusal === undefined) this.#take(commit, position, at);",
    replace:
      "for (const write of refusal ? commit.slice(0, refusal.write) : commit) this.#take([write], position, at + commit.slice(0, commit.indexOf(write)).reduce((sum, each) => sum + each[4], 0));",
  },
  {
    name: "M07 sent again as a new block while the first may still land",
    breaks: "the SPI of CommitLog",
    found: "log",
    file: DRIVER,
    find: "if (this.#unsettled === undefined) return undefined;",
    replace: "if (this.#unsettled !== undefined) return undefined;",
  },
  {
    name: "what waits behind an unsettled block is sent past it",
    breaks: "the SPI of CommitLog",
    found: "log",
    file: DRIVER,
    find: 'if (appended.kind === "uncertain") return { kind: "notWritten", cause: appended.cause };',
    replace: 'if (appended.kind === "uncertain") return undefined;',
  },
  {
    name: "M13 a conflict is told from the view as it is",
    breaks: "A-2, S-3",
    found: "log",
    file: DRIVER,
    find: "if (foreseen.some(({ refusal }) => refusal !== undefined)) {",
    replace: "if (foreseen.some(({ refusal }) => refusal !== undefined && refusal.actual < 0)) {",
  },
  {
    name: "M13 the next offset is told from the view as it is",
    breaks: "R-10",
    found: "log",
    file: DRIVER,
    find: "    await this.#follower.look();\n    return this.#view.nextOffset(stream);",
    replace: "    return this.#view.nextOffset(stream);",
  },
  {
    name: "M13 a state is read from the view as it is",
    breaks: "R-10",
    found: "log",
    file: DRIVER,
    find: "    await this.#follower.look();\n    return this.#checkpoints.retried(() => this.#reads.state(persistenceId));",
    replace: "    return this.#checkpoints.retried(() => this.#reads.state(persistenceId));",
  },
  {
    name: "a look that began before the call is good enough",
    breaks: "R-10",
    found: "log",
    file: FOLLOWER,
    find: "    this.#queued ??= this.#looking\n",
    replace:
      "    if (this.#looking) return this.#looking;\n    this.#queued ??= (this.#looking as unknown as Promise<void>)\n",
  },
  {
    name: "M14 a delete begins the revisions anew",
    breaks: "S-4, S-5",
    found: "log",
    file: VIEW,
    find: "        head.revision = expectedRevision + 1;\n",
    replace: "        head.revision = live === 1 ? expectedRevision + 1 : 0;\n",
  },
  {
    name: "M20 checksums are not looked at",
    breaks: "L-4",
    found: "both",
    file: "commit-log/seal.ts",
    find: "return stated === crc32(bytes.subarray(at + CHECKED_FROM, at + size)) ? size : undefined;",
    replace: "return stated >= 0 ? size : undefined;",
  },
  {
    name: "M20 what a block vouches for is not looked at",
    breaks: "L-4",
    found: "log",
    file: VIEW,
    find: "return known === undefined ? position < (merged?.position ?? 0) : known === chain;",
    replace: "return true || known === chain;",
  },
  {
    name: "a later member of a group is refused for what an earlier one was to write",
    breaks: "A-2, A-3",
    found: "log",
    file: DRIVER,
    find: 'if (answers.some(({ kind }) => kind === "uncertain")) return outcomes;',
    replace: "if (answers.length >= 0) return outcomes;",
  },
  {
    name: "an outcome is lost when a look for another comes upon the block first",
    breaks: "W-5",
    found: "fairness",
    file: DRIVER,
    find: "    this.#follower.expect(block, bytes);\n    const appended = await this.#send(block, bytes, deadline);\n",
    replace:
      "    const appended = await this.#send(block, bytes, deadline);\n    this.#follower.expect(block, bytes);\n",
  },
  {
    name: "a page is applied over a checkpoint that was taken over meanwhile",
    breaks: "L-4",
    found: "both",
    file: FOLLOWER,
    find: "if (view.position !== from) continue;",
    replace: "if (view.position < from) continue;",
  },
  {
    name: "the global order is that of arrival",
    breaks: "G-2, G-4",
    found: "log",
    file: VIEW,
    find: "this.nextGlobal += count;",
    replace:
      "this.nextGlobal += count + (this.changes % 7 === 0 ? 1 : 0) - (this.changes % 7 === 1 && this.nextGlobal > 9 ? 1 : 0);",
  },
];

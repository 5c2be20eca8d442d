import type { Mutant } from "./mutant.ts";

const WRITER = "commit-log/slot-log-writer.ts";
const READER = "commit-log/slot-log-reader.ts";
const STUB = "commit-log/slot-log-stub.ts";
const PACE = "commit-log/pace.ts";

/** Of how a log is made of slots. */
export const slotMutants: readonly Mutant[] = [
  {
    name: "keys by message offset",
    breaks: "the order of slots",
    found: "slots",
    file: WRITER,
    find: "this.#open ?? { slot: this.#reader.tail, unseen: undefined };",
    replace:
      "this.#open ?? { slot: JSON.parse(Buffer.from(bytes).toString().split('\\n')[0] ?? '').commits[0][0][2], unseen: undefined };",
  },
  {
    name: "unknown taken for success",
    breaks: "W-10",
    found: "slots",
    file: WRITER,
    find: 'if (reply === "created") return;',
    replace: 'if (reply !== "taken") return;',
  },
  {
    name: "unknown taken for not written",
    breaks: "W-5",
    found: "slots",
    file: WRITER,
    find: "if (reply.cause instanceof DriverFailure && !replyLost) {",
    replace: "if (!replyLost) {",
  },
  {
    name: "a definite refusal counts for an earlier try whose reply was lost",
    breaks: "W-5",
    found: "slots",
    file: WRITER,
    find: "if (reply.cause instanceof DriverFailure && !replyLost) {",
    replace: "if (reply.cause instanceof DriverFailure) {",
  },
  {
    name: "unknown taken for conflict: a taken slot is another's, whatever was lost there",
    breaks: "W-5",
    found: "slots",
    file: WRITER,
    find: "        if (await this.#holds(slot, bytes, patience)) return;\n        this.#open = undefined;\n",
    replace: "        this.#open = undefined;\n",
  },
  {
    name: "settled at another slot than that of the first try",
    breaks: "the order of slots",
    found: "slots",
    file: WRITER,
    find: "        replyLost = true;\n        continue;",
    replace: "        replyLost = true;\n        slot += 1;\n        continue;",
  },
  {
    name: "an append that ended in doubt is begun anew at the end",
    breaks: "W-5",
    found: "slots",
    file: WRITER,
    find: "= this.#open ?? { slot: this.#reader.tail, unseen: undefined };",
    replace: "= { slot: this.#reader.tail, unseen: undefined };",
  },
  {
    name: "a copy of one's own in front is not looked for",
    breaks: "W-4",
    found: "echoes",
    file: "commit-log/follower.ts",
    find: "const skipped = own !== undefined && own.skips !== this.#view.skips;",
    replace: "const skipped = own !== undefined && own.skips < 0;",
  },
  {
    name: "a merged name is freed",
    breaks: "the order of slots",
    found: "slots",
    file: "commit-log/slot-log.ts",
    find: "    if (stub) await replace(slot, stub);\n",
    replace: "    if (stub) await replace(slot, new Uint8Array(0));\n",
  },
  {
    name: "a stub does not say whose block it was",
    breaks: "W-5",
    found: "slots",
    file: STUB,
    find: "const { kind, id } = identity(head);",
    replace: 'const { kind } = identity(head);\n  const id = "unknown";',
  },
  {
    name: "a look that found a slot free before the call is good enough",
    breaks: "R-10",
    found: "slots",
    file: READER,
    find: "return earlier ?? this.#recent.get(slot) ?? this.#underWay.get(slot) ?? this.#ask(slot);",
    replace: "return earlier;",
  },
  {
    name: "no yield",
    breaks: "fairness",
    found: "fairness",
    file: PACE,
    find: "const YIELD_SHARE = 0.3;",
    replace: "const YIELD_SHARE = 0;",
  },
  {
    name: "who wins alone never yields",
    breaks: "fairness",
    found: "fairness",
    file: PACE,
    find: "if (alone && this.#winsAlone < this.#yieldAfterWins) return;",
    replace: "if (alone) return;",
  },
  {
    name: "who stays behind goes on by single steps",
    breaks: "fairness",
    found: "fairness",
    file: WRITER,
    find: "if (timesBehind >= TIMES_BEHIND) ",
    replace: "if (timesBehind < 0) ",
  },
  {
    name: "the slots behind the winner's are not looked at",
    breaks: "fairness",
    found: "fairness",
    file: WRITER,
    find: "[slot - 1, slot, slot + 1]",
    replace: "[slot - 1]",
  },
];

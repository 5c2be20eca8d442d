import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FinalState, HistoryWrite } from "@holdfast/core/conformance";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { violationsOf } from "../src/chronicle.ts";
import { Journal, nowNs, readJournal } from "../src/journal.ts";
import { marked, tokenOf } from "../src/message.ts";

const append = (stream: string, offset: number, ...tokens: readonly string[]): HistoryWrite => ({
  kind: "append",
  stream,
  offset,
  tokens,
});
const upsert = (revision: number, token: string): HistoryWrite => ({
  kind: "upsert",
  persistenceId: "state",
  revision,
  token,
});

let folder: string;
let path: string;
let untilNs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-crash-judge-"));
  path = join(folder, "journal.jsonl");
  const journal = new Journal(path);
  const commit = (...writes: readonly HistoryWrite[]) =>
    journal.returned(journal.called(writes), { outcome: { kind: "ok" } });
  commit(append("a", 0, "a0", "a1", "a2"));
  commit(append("b", 0, "b0"), upsert(0, "s1"));
  commit(append("a", 3, "a3"));
  const messages = [{ globalOffset: 3, stream: "b", offset: 0, token: "b0" }];
  journal.given(nowNs(), { kind: "readGlobal", from: 3, messages, end: false });
  untilNs = nowNs();
  commit(append("a", 4, "a4"));
  journal.called([append("b", 1, "b1"), upsert(1, "s2")]);
  journal.close();
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What a store holds: its global order, and the state. */
function final(order: readonly string[], state: { revision: number; token: string | null }): FinalState {
  const streams = new Map<string, string[]>();
  const global = order.map((token, globalOffset) => {
    const stream = token.charAt(0);
    const tokens = streams.get(stream) ?? [];
    streams.set(stream, tokens);
    return { globalOffset, stream, offset: tokens.push(token) - 1, token };
  });
  return {
    global,
    streams: [...streams].map(([stream, tokens]) => ({ stream, tokens })),
    states: [{ persistenceId: "state", ...state }],
  };
}

const written = { revision: 1, token: "s1" };

function judge(state: FinalState): readonly string[] {
  const { history, failures } = readJournal(path, "client", untilNs);
  return [...violationsOf(history, { storeId: "id", state }), ...failures];
}

describe("accepts", () => {
  test("what was acknowledged before the crash, and nothing more", () => {
    expect(judge(final(["a0", "a1", "a2", "b0", "a3"], written))).toEqual([]);
  });

  test("what was acknowledged while the power went, and what never returned", () => {
    const all = ["a0", "a1", "a2", "b0", "a3", "a4", "b1"];
    expect(judge(final(all, { revision: 2, token: "s2" }))).toEqual([]);
  });

  test("a last line that was cut short", () => {
    writeFileSync(path, '{"kind":"called","call":9,', { flag: "a" });
    expect(judge(final(["a0", "a1", "a2", "b0", "a3"], written))).toEqual([]);
  });
});

describe("rejects", () => {
  test.each<[string, readonly string[], { revision: number; token: string | null }, RegExp]>([
    ["an acknowledged append that is lost", ["a0", "a1", "a2", "b0"], written, /W-10/],
    ["an acknowledged state that is lost", ["a0", "a1", "a2", "b0", "a3"], { revision: 0, token: null }, /W-10|W-1/],
    ["a state that is another", ["a0", "a1", "a2", "b0", "a3"], { revision: 1, token: "s2" }, /S-2/],
    ["a torn batch", ["a0", "a1", "b0", "a3"], written, /A-3/],
    ["a duplicate", ["a0", "a1", "a2", "b0", "a3", "a3"], written, /W-3|A-1/],
    ["half of a transaction", ["a0", "a1", "a2", "b0", "a3", "b1"], written, /W-1/],
    ["the other half of it", ["a0", "a1", "a2", "b0", "a3"], { revision: 2, token: "s2" }, /W-1/],
    ["messages that changed their places", ["a1", "a0", "a2", "b0", "a3"], written, /A-4|A-1|A-3/],
    ["what a reader was given at another global offset", ["a0", "a1", "a2", "a3", "b0"], written, /G-4/],
    ["a message that nobody wrote", ["a0", "a1", "a2", "b0", "a3", "c0"], written, /A-1|A-4/],
  ])("%s", (_, order, state, clause) => {
    expect(judge(final(order, state)).join("\n")).toMatch(clause);
  });

  test("a gap in the global order", () => {
    const state = final(["a0", "a1", "a2", "b0", "a3"], written);
    const global = state.global?.map((each) => (each.token === "a3" ? { ...each, globalOffset: 5 } : each)) ?? [];
    expect(judge({ ...state, global }).join("\n")).toMatch(/G-1/);
  });

  test("a gap in a stream", () => {
    const state = final(["a0", "a1", "a2", "b0", "a3"], written);
    const global = state.global?.map((each) => (each.token === "a3" ? { ...each, offset: 4 } : each)) ?? [];
    expect(judge({ ...state, global }).join("\n")).toMatch(/G-2|A-4/);
  });

  test("a character that changed", () => {
    const { token, filler } = marked("name", 40);
    expect(tokenOf({ token, filler })).toBe(token);
    expect(tokenOf({ token, filler: filler.replace("q", "Q") })).not.toBe(token);
    expect(tokenOf(null)).not.toBe(token);
  });

  test("an error that no crash explains", () => {
    const lines = [
      { kind: "called", call: 100, atNs: untilNs - 2, writes: [append("a", 4, "a9")] },
      {
        kind: "returned",
        call: 100,
        atNs: untilNs - 1,
        outcome: { kind: "notWritten" },
        error: "HOLDFAST_UNAVAILABLE: why",
      },
    ];
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { flag: "a" });
    expect(judge(final(["a0", "a1", "a2", "b0", "a3"], written))).toEqual(["client: HOLDFAST_UNAVAILABLE: why"]);
  });
});

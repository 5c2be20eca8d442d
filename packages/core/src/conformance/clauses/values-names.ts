import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import { collect, footprint, invalidArgument, message, readAll, streamsOf } from "./fixtures.ts";

/** Names that a careless store takes for one another, for a path, a pattern, a query or nothing at all. */
// biome-ignore format: a table
const names: readonly string[] = [
  // Case, compatibility and normal form.
  ..."aAkK\u212as\u017fS\u00dfiI\u0130\u0131", "ss", "SS", "\u00e9", "e\u0301", "\u00c5", "A\u030a", "\u212b", "fi", "\ufb01", "1", "01", "1.0", "\uff11", "\u2460",
  // White space and control characters.
  " ", "  ", "a ", " a", "\t", "\n", "a\n", "\r", "\r\n", "\u0000", "a\u0000", "a\u0000b", "\u0001", "\u007f", "\u0085", "\u200b", "\ufeff", "\ufeffa",
  // Paths and separators, one name beginning another.
  ".", "..", "...", "a.", ".a", "../a", "a/..", "/", "//", "a/", "a//", "/a", "a/b", "a\\b", "\\", "\\\\", "a:b", "a|b", "a-b", "a_b", "a#b", "a;b", "a,b", "aa", "ab",
  // Patterns, escapes, queries.
  "%", "_", "*", "?", "[a]", "a%", "a_", "%61", "%2F", "%00", "a+b", "a b", "a&b", "a=b", "'", "\"", "`", "''", "a'b", "a\"b", "$a", "$" + "{a}", "{}", "[]", "--", "a--b",
  // Reserved words of file systems and of JavaScript.
  "con", "nul", "aux", "CON", "null", "undefined", "NaN", "true", "0", "-0", "__proto__", "constructor", "toString", "hasOwnProperty", "then",
  // Orders by UTF-16 and by UTF-8 differ from \ue000 on.
  "\u{1f44d}", "\u{1f44d}\u{1f3fd}", "\u{10ffff}", "\ue000", "\uffff", "\u{10000}", "a\u{10000}", "a\uffff", "a\u00e9", "\u65e5\u672c", "\u0645",
  // The longest.
  "n".repeat(512), `${"n".repeat(511)}m`, "\u00e9".repeat(256), "\u{1f44d}".repeat(128), "n".repeat(256), "n".repeat(255),
];

// biome-ignore format: a table
const prefixes: readonly string[] = [
  "", "a", "A", "a/", "a\u0000", "e", "\u00e9", "%", "_", "*", "\\", "'", ".", "..", "n".repeat(256), "n".repeat(512), "\u{1f44d}", "\uffff", "\u{10000}",
  "\u{10ffff}", "absent", "x".repeat(600),
];

/** Not a name: empty, too long in UTF-8, ill-formed, or no string. */
// biome-ignore format: a table
const badNames: readonly unknown[] = [
  "", "n".repeat(513), `${"\u00e9".repeat(256)}n`, "\u{1f44d}".repeat(129), "\ud800", "a\udc00", "\udc00\ud800", undefined, null, 1, true, {}, ["a"], Object("a"), Symbol("a"),
];
// biome-ignore format: a table
const badPrefixes: readonly unknown[] = ["\ud800", "a\udc00", null, 1, {}, ["a"], Object("a")];

function beginsWith(name: string, prefix: string): boolean {
  const start = Buffer.from(prefix);
  return Buffer.from(name).subarray(0, start.length).equals(start);
}

/** As the caller of plain JavaScript would pass it. */
function asName(value: unknown): string {
  return value as string;
}

function nameCalls(store: DataStore, name: string): ReadonlyMap<string, () => Promise<unknown>> {
  const { messages, state } = store;
  const offsets = new DurableStateOffsetStore(state);
  const good = [message(1)];
  return new Map<string, () => Promise<unknown>>([
    ["appendMessages", () => messages.appendMessages(name, 0, good)],
    ["openStream", () => messages.openStream(name, 0)],
    ["followStream", () => messages.followStream(name, 0)],
    ["nextOffset", () => messages.nextOffset(name)],
    ["load", () => state.load(name)],
    ["upsert", () => state.upsert(name, 0, 1)],
    ["delete", () => state.delete(name, 0)],
    ["appendMessages in a transaction", () => store.transaction((tx) => tx.messages.appendMessages(name, 0, good))],
    ["upsert in a transaction", () => store.transaction((tx) => tx.state.upsert(name, 0, 1))],
    ["saveOffset's projection", () => offsets.saveOffset(name, "tag", 1)],
    ["saveOffset's tag", () => offsets.saveOffset("projection", name, 1)],
    ["saveSequence's projection", () => offsets.saveSequence(name, "id", 1)],
    ["saveSequence's persistence id", () => offsets.saveSequence("projection", name, 1)],
    ["loadOffset's tag", () => offsets.loadOffset("projection", name)],
    ["loadSequence's projection", () => offsets.loadSequence(name, "id")],
    ["clear's projection", () => offsets.clear(name)],
    ["an envelope's id", () => messages.appendMessages("orders", 0, [message(1, { id: name })])],
    ["an envelope's type", () => messages.appendMessages("orders", 0, [message(1, { type: name })])],
  ]);
}

function commitIdCalls(store: DataStore, commitId: string): ReadonlyMap<string, () => Promise<unknown>> {
  const { messages, state } = store;
  return new Map<string, () => Promise<unknown>>([
    ["appendMessages", () => messages.appendMessages("orders", 0, [message(1)], { commitId })],
    ["upsert", () => state.upsert("cart", 0, 1, { commitId })],
    ["delete", () => state.delete("cart", 0, { commitId })],
    ["transaction", () => store.transaction((tx) => tx.state.upsert("cart", 0, 1), { commitId })],
  ]);
}

export const namesClause = clause(
  "V-3",
  'names (streams, persistence ids, projections, tags, commit ids, an envelope\'s `id` and `type`) are any well-formed Unicode string of 1 to 512 bytes in UTF-8; two different names never meet, whatever their case, normal form, separators, dots or control characters; a `prefix` is a well-formed string, "" meaning all, compared by UTF-8 bytes.',
  check({ title: "streams never meet", timeoutMs: 60_000 }, async (context) => {
    const store = await context.store();
    const write = (name: string) =>
      store.messages.appendMessages(name, 0, [message({ name }, { id: name, type: name })]);
    await Promise.all(names.map(write));
    equal(await streamsOf(store), new Map(names.map((name) => [name, 1])), "the streams that are listed");
    for (const name of names) {
      const found = (await readAll(store, name)).map(({ stream, id, type, data }) => ({ stream, id, type, data }));
      equal(found, [{ stream: name, id: name, type: name, data: { name } }], `stream ${JSON.stringify(name)}`);
    }
    for (const prefix of prefixes) {
      const listed = (await collect(store.messages.listStreams({ prefix }))).map(({ stream }) => stream);
      equal(
        listed.sort(),
        names.filter((name) => beginsWith(name, prefix)).sort(),
        `streams with prefix ${JSON.stringify(prefix)}`,
      );
    }
  }),
  check({ title: "persistence ids never meet", timeoutMs: 60_000 }, async (context) => {
    const { state } = await context.store();
    await Promise.all(names.map((name) => state.upsert(name, 0, { name })));
    for (const name of names) equal((await state.load(name)).state, { name }, `state ${JSON.stringify(name)}`);
    for (const prefix of prefixes) {
      const listed = await collect(state.listPersistenceIds({ prefix }));
      equal(
        listed.sort(),
        names.filter((name) => beginsWith(name, prefix)).sort(),
        `ids with prefix ${JSON.stringify(prefix)}`,
      );
    }
  }),
  check({ title: "projections and tags never meet", timeoutMs: 60_000 }, async (context) => {
    const offsets = new DurableStateOffsetStore((await context.store()).state);
    for (const [index, name] of names.entries()) {
      await offsets.saveOffset(name, "tag", index);
      await offsets.saveOffset("projection", name, index);
    }
    for (const [index, name] of names.entries()) {
      equal(await offsets.loadOffset(name, "tag"), index, `the offset of projection ${JSON.stringify(name)}`);
      equal(await offsets.loadOffset("projection", name), index, `the offset of tag ${JSON.stringify(name)}`);
    }
  }),
  check({ title: "commit ids never meet" }, async (context) => {
    const { messages } = await context.store();
    const write = (name: string, commitId: string) =>
      messages.appendMessages(name, 0, [message(1, { id: "same" })], { commitId });
    await Promise.all(names.map((name) => write(name, name)));
    for (const name of names) await write(name, name);
    for (const [one, other] of [
      ["a", "A"],
      ["\u00e9", "e\u0301"],
      ["\u0000", "a\u0000"],
      ["1", "01"],
    ] as const) {
      await rejects(
        write(one, other),
        { code: "HOLDFAST_OFFSET_CONFLICT" },
        `commit id ${JSON.stringify(other)}, of another write`,
      );
    }
  }),
  check({ title: "what is not a name" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    for (const bad of badNames) {
      for (const [what, call] of nameCalls(store, asName(bad)))
        await rejects(call(), invalidArgument, `${what}: a bad name`);
      // Absent options are allowed, and undefined means absent.
      if (bad === undefined) continue;
      for (const [what, call] of commitIdCalls(store, asName(bad)))
        await rejects(call(), invalidArgument, `${what}: a bad commit id`);
    }
    for (const bad of badPrefixes) {
      const prefix = asName(bad);
      await rejects(collect(store.messages.listStreams({ prefix })), invalidArgument, "listStreams: a bad prefix");
      await rejects(
        collect(store.state.listPersistenceIds({ prefix })),
        invalidArgument,
        "listPersistenceIds: a bad prefix",
      );
    }
    equal(await footprint(store), before, "the store after refused names");
  }),
);

// biome-ignore format: a table
const badNumbers: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "0", null, undefined, 0n, [0], Object(0)];

export const numbersClause = clause(
  "V-4",
  "offsets and revisions are safe integers >= 0.",
  check({ title: "what is not one is refused" }, async (context) => {
    const store = await context.store();
    const { messages, state } = store;
    const offsets = new DurableStateOffsetStore(state);
    const before = await footprint(store);
    for (const bad of badNumbers) {
      const value = bad as number;
      const calls = new Map<string, () => Promise<unknown>>([
        ["appendMessages", () => messages.appendMessages("orders", value, [message(1)])],
        ["openStream", () => messages.openStream("orders", value)],
        ["followStream", () => messages.followStream("orders", value)],
        ["upsert", () => state.upsert("cart", value, 1)],
        ["delete", () => state.delete("cart", value)],
        [
          "appendMessages in a transaction",
          () => store.transaction((tx) => tx.messages.appendMessages("orders", value, [message(1)])),
        ],
        ["upsert in a transaction", () => store.transaction((tx) => tx.state.upsert("cart", value, 1))],
        ["saveOffset", () => offsets.saveOffset("projection", "tag", value)],
        ["saveSequence", () => offsets.saveSequence("projection", "id", value)],
      ]);
      if (hasGlobalOrder(store)) calls.set("openGlobal", () => store.messages.openGlobal(value));
      for (const [what, call] of calls) await rejects(call(), invalidArgument, `${what}: ${typeof bad} ${String(bad)}`);
    }
    equal(await footprint(store), before, "the store after refused numbers");
  }),
  check({ title: "up to the largest" }, async (context) => {
    const { messages, state } = await context.store();
    const offsets = new DurableStateOffsetStore(state);
    await messages.followStream("orders", Number.MAX_SAFE_INTEGER);
    await offsets.saveOffset("projection", "tag", Number.MAX_SAFE_INTEGER);
    equal(await offsets.loadOffset("projection", "tag"), Number.MAX_SAFE_INTEGER, "the largest offset");
  }),
);

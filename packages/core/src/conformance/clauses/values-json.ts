import { runInNewContext } from "node:vm";
import type { DataStore } from "../../contract/data-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { footprint, invalidArgument, message, readAll, readData } from "./fixtures.ts";

/** A value written, and what JSON makes of it. */
interface Kept {
  readonly written: unknown;
  readonly read: unknown;
}

function nested(depth: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

/** Keys that mean something to JavaScript, or to a careless codec. */
const reserved = "constructor toString hasOwnProperty prototype length then valueOf bytes data".split(" ");

function kept(): readonly Kept[] {
  const shared = { twice: true };
  // biome-ignore format: a table
  const same = [
    null, true, false, 0, 1, -1, 1.5, 1e21, 1.7976931348623157e308, 5e-324, 2 ** 53, Number.MIN_SAFE_INTEGER,
    "", "text", "\u0000\u001f\n\r\t\"\\/\u2028\u2029", "é e\u0301 Å Å", "👩‍👩‍👧", "\ud800", "a\udc00\ud800b", "\uffff\ufeff",
    "2024-01-01T00:00:00.000Z", [], {}, [[], [{}], ""], [null, [null]], { "": "", " ": 1, "a.b": 2, "a[0]": 3, "\ud800": 4 },
    Object.fromEntries(reserved.map((key) => [key, key])),
    { 10: "ten", 2: "two", b: 1, a: 2 }, nested(256), Array.from({ length: 1000 }, (_, index) => index),
    [shared, shared], "x".repeat(70_000),
  ];
  return [
    ...same.map((value) => ({ written: value, read: value })),
    { written: -0, read: 0 },
    { written: { zero: -0, list: [-0] }, read: { zero: 0, list: [0] } },
    { written: { gone: undefined, here: null }, read: { here: null } },
    { written: [{ gone: undefined }], read: [{}] },
    { written: Object.assign(Object.create(null) as object, { a: 1 }), read: { a: 1 } },
    { written: runInNewContext("({ realm: [1, { other: true }] })"), read: { realm: [1, { other: true }] } },
  ];
}

const buffer = new Uint8Array([0, 1, 2, 127, 128, 253, 254, 255]);
const byteArrays: readonly Uint8Array[] = [
  new Uint8Array(0),
  buffer,
  buffer.subarray(2, 5),
  Buffer.from("a Buffer\u0000é"),
  Buffer.from(buffer.buffer, 3, 2),
];

/** What JSON cannot hold, at the top or anywhere inside. */
function refused(): ReadonlyMap<string, unknown> {
  const cycle: { inside: { back?: unknown } } = { inside: {} };
  cycle.inside.back = cycle;
  const accessor = Object.defineProperty({}, "computed", { get: () => 1, enumerable: true });
  class Money {
    readonly cents = 1;
  }
  return new Map<string, unknown>([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["a bigint", 1n],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["a class", Money],
    ["a Date", new Date(0)],
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a RegExp", /x/],
    ["an Error", new Error("e")],
    ["a Promise", Promise.resolve(1)],
    ["a String object", Object("text")],
    ["a Number object", Object(1)],
    ["an instance of a class", new Money()],
    ["an object on a prototype of its own", Object.create({ inherited: 1 })],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["a Float64Array", new Float64Array(1)],
    ["a DataView", new DataView(new ArrayBuffer(1))],
    ["a hole", Object.assign(new Array<number>(3), { 0: 1, 2: 3 })],
    ["undefined in an array", [1, undefined]],
    ["a symbol key", { [Symbol("key")]: 1 }],
    ["an accessor", accessor],
    ["a toJSON", { toJSON: () => 1 }],
    ["a cycle", cycle],
    ["257 arrays and objects, nested", nested(257)],
    ["100,000 arrays and objects, nested", nested(100_000)],
  ]);
}

/** Where a bad value is put, and what an error that names its path must mention. `undefined` is fine as a property. */
const positions: readonly { readonly wrap: (value: unknown) => unknown; readonly mentions: RegExp }[] = [
  { wrap: (value) => value, mentions: /data|state/iu },
  { wrap: (value) => ({ good: 1, needle: [true, value] }), mentions: /needle.*1/isu },
  { wrap: (value) => [[], { needle: { deeper: [value] } }], mentions: /1.*needle.*deeper.*0/isu },
];

async function refusesEverywhere(
  write: (value: unknown) => Promise<unknown>,
  extra: readonly [string, unknown][],
): Promise<void> {
  for (const [what, value] of [...refused(), ...extra]) {
    for (const { wrap, mentions } of positions) {
      const { message: text } = await rejects(write(wrap(value)), invalidArgument, `${what} as a value`);
      isTrue(mentions.test(text), `the error for ${what} names its path (${mentions.source})`, text);
    }
  }
}

async function writeMessages(store: DataStore, values: readonly unknown[]): Promise<void> {
  await store.messages.appendMessages(
    "values",
    0,
    values.map((value) => message(value)),
  );
}

export const jsonClause = clause(
  "V-1",
  "`data` and `state` are JSON values, `data` may also be a Uint8Array (a Buffer is read back as a Uint8Array); object properties that are undefined are left out and -0 is stored as 0, as JSON does; everything else JSON cannot hold (NaN, infinities, bigint, undefined in an array or at the top, holes, Date, Map, objects whose prototype is neither null nor an Object.prototype, functions, symbols and symbol keys, accessors, toJSON, cycles, arrays and objects nested more than 256 deep) is an `InvalidArgumentError` naming the path, before anything is sent; strings inside values come back as written, lone surrogates included.",
  check({ title: "data comes back as JSON has it" }, async (context) => {
    const store = await context.store();
    const values = kept();
    await writeMessages(
      store,
      values.map(({ written }) => written),
    );
    const found = await readData(store, "values");
    for (const [index, { read }] of values.entries()) equal(found[index], read, `data ${index}`);
  }),
  check({ title: "state comes back as JSON has it" }, async (context) => {
    const { state } = await context.store();
    for (const [index, { written, read }] of kept().entries()) {
      equal((await state.upsert("value", index, written)).state, read, `the state that upsert ${index} gives`);
      equal((await state.load("value")).state, read, `state ${index}`);
    }
  }),
  check({ title: "bytes" }, async (context) => {
    const store = await context.store();
    await writeMessages(store, byteArrays);
    const data = await readData(store, "values");
    equal(data.length, byteArrays.length, "how many messages there are to read");
    for (const [index, found] of data.entries()) {
      const wanted = new Uint8Array(byteArrays[index] ?? []);
      isTrue(
        found instanceof Uint8Array && !Buffer.isBuffer(found),
        "bytes are read back as a plain Uint8Array",
        found,
      );
      equal(found, wanted, `the bytes of message ${index}`);
    }
  }),
  check({ title: "data that JSON cannot hold" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    const extra: [string, unknown][] = [["a Float32Array", new Float32Array(1)]];
    await refusesEverywhere(
      (value) => store.messages.appendMessages("values", 0, [message("good"), message(value)]),
      extra,
    );
    for (const value of [[buffer], { needle: buffer }]) {
      await rejects(
        store.messages.appendMessages("values", 0, [message(value)]),
        invalidArgument,
        "bytes inside of data",
      );
    }
    equal(await footprint(store), before, "the store after refused values");
  }),
  check({ title: "a state that JSON cannot hold" }, async (context) => {
    const store = await context.store();
    const before = await footprint(store);
    await refusesEverywhere((value) => store.state.upsert("value", 0, value), [["a Uint8Array", buffer]]);
    equal(await footprint(store), before, "the store after refused values");
    equal((await store.state.load("value")).revision, 0, "the revision after refused values");
  }),
);

const hostile = '{ "__proto__": { "polluted": true }, "own": { "__proto__": null }, "list": [{ "__proto__": 1 }] }';

export const protoClause = clause(
  "V-2",
  "an own `__proto__` key is data.",
  check({ title: "in data, metadata and state" }, async (context) => {
    const store = await context.store();
    const written: unknown = JSON.parse(hostile);
    const metadata = JSON.parse('{ "__proto__": "text", "constructor": "text" }') as Record<string, string>;
    await store.messages.appendMessages("values", 0, [message(written, { metadata })]);
    await store.state.upsert("value", 0, written);
    const [found] = await readAll(store, "values");
    const { state } = await store.state.load("value");
    for (const [what, value] of [
      ["data", found?.data],
      ["state", state],
    ] as const) {
      equal(JSON.stringify(value), JSON.stringify(written), what);
      equal(Object.getPrototypeOf(value), Object.prototype, `the prototype of ${what}`);
    }
    equal(Object.entries(found?.metadata ?? {}), Object.entries(metadata), "the metadata");
    isTrue(!("polluted" in {}), "Object.prototype was left alone");
  }),
);

import type { Envelope } from "../../contract/envelope.ts";
import { check, clause } from "../define.ts";
import { equal, rejects } from "../expect.ts";
import { invalidArgument, message, readAll } from "./fixtures.ts";

// biome-ignore format: a table
const goodDates: readonly string[] = [
  "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.1Z", "2024-02-29T12:34:56.000Z", "2024-02-29T12:34:56.123456789Z", "2024-02-29T12:34:56.1234567890123456789Z",
  "2000-02-29T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0050-06-30T23:59:59Z", "1899-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z",
];

// biome-ignore format: a table
const badDates: readonly unknown[] = [
  "", "now", "2024-02-29", "2024-02-29T12:34:56", "2024-02-29T12:34Z", "2024-02-29 12:34:56Z", "2024-02-29t12:34:56Z", "2024-02-29T12:34:56z",
  "2024-02-29T12:34:56+00:00", "2024-02-29T12:34:56+02:00", "2024-02-29T12:34:56-00:00", "2024-02-29T12:34:56.Z", "2024-02-29T12:34:56,5Z",
  "2024-2-29T12:34:56Z", "24-02-29T12:34:56Z", "+002024-02-29T12:34:56Z", " 2024-02-29T12:34:56Z", "2024-02-29T12:34:56Z ", "2024-02-29T12:34:56Z\n", "20240229T123456Z",
  "2023-02-29T12:34:56Z", "1900-02-29T12:34:56Z", "2024-02-30T12:34:56Z", "2024-04-31T12:34:56Z", "2024-00-10T12:34:56Z", "2024-13-10T12:34:56Z", "2024-01-00T12:34:56Z",
  "2024-01-32T12:34:56Z", "2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T23:60:00Z", "2024-01-01T23:59:60Z", "2024-01-01T23:59:61Z",
  "２０２４-02-29T12:34:56Z", 0, null, new Date(0), ["2024-02-29T12:34:56Z"], Object("2024-02-29T12:34:56Z"),
];

// biome-ignore format: a table
const texts: readonly string[] = ["", " ", "\u0000", "é", "👍", "t".repeat(5000), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"];
// biome-ignore format: a table
const badTexts: readonly unknown[] = ["\ud800", "a\udc00", null, 1, {}, [], Object("a")];
// biome-ignore format: a table
const badMetadata: readonly unknown[] = [null, "text", 1, ["a"], new Map([["a", "b"]]), ...badTexts.map((text) => ({ key: text })), { "\ud800": "a" }];

/** Only what Envelope names. */
function fieldsOf({ id, type, data, createdAt, causationId, correlationId, sendAt, metadata }: Envelope): unknown {
  return { id, type, data, createdAt, causationId, correlationId, sendAt, metadata };
}

export const envelopeClause = clause(
  "V-6",
  "dates are `YYYY-MM-DDTHH:MM:SS`, an optional fraction and `Z`, of a real moment, and kept as written; `causationId`, `correlationId` and metadata are any well-formed strings; properties that Envelope does not name are left out, so a RecordedEnvelope can be appended again.",
  check({ title: "dates" }, async (context) => {
    const store = await context.store();
    await store.messages.appendMessages(
      "dates",
      0,
      goodDates.map((date) => message(date, { createdAt: date, sendAt: date })),
    );
    for (const { data, createdAt, sendAt } of await readAll(store, "dates"))
      equal([createdAt, sendAt], [data, data], "the dates as written");
    const next = goodDates.length;
    for (const bad of [...badDates, undefined]) {
      const date = bad as string;
      const append = store.messages.appendMessages("dates", next, [message(1, { createdAt: date })]);
      await rejects(append, invalidArgument, `createdAt ${JSON.stringify(bad)}`);
      if (bad === undefined) continue;
      await rejects(
        store.messages.appendMessages("dates", next, [message(1, { sendAt: date })]),
        invalidArgument,
        `sendAt ${JSON.stringify(bad)}`,
      );
    }
    equal(await store.messages.nextOffset("dates"), next, "the next offset after refused dates");
  }),
  check({ title: "causationId, correlationId and metadata" }, async (context) => {
    const store = await context.store();
    const good = texts.map((text) =>
      message(1, { causationId: text, correlationId: text, metadata: { key: text, [text]: "value" } }),
    );
    await store.messages.appendMessages("texts", 0, good);
    equal((await readAll(store, "texts")).map(fieldsOf), good.map(fieldsOf), "the messages as written");
    const bad = [
      ...badTexts.flatMap((text) => [{ causationId: text }, { correlationId: text }]),
      ...badMetadata.map((metadata) => ({ metadata })),
    ];
    for (const fields of bad) {
      const append = store.messages.appendMessages("texts", good.length, [message(1, fields as Partial<Envelope>)]);
      await rejects(append, invalidArgument, `an envelope with ${Object.keys(fields).join()} of a bad kind`);
    }
    equal(await store.messages.nextOffset("texts"), good.length, "the next offset after refused messages");
  }),
  check({ title: "what is no envelope" }, async (context) => {
    const { messages } = await context.store();
    for (const bad of [undefined, null, 1, "text", [], {}]) {
      const batch = [message(1), bad] as readonly Envelope[];
      await rejects(
        messages.appendMessages("bad", 0, batch),
        invalidArgument,
        `${JSON.stringify(bad)} in place of an envelope`,
      );
    }
    for (const bad of [undefined, null, "text", { 0: message(1), length: 1 }, new Set([message(1)])]) {
      await rejects(
        messages.appendMessages("bad", 0, bad as unknown as Envelope[]),
        invalidArgument,
        "in place of the array",
      );
    }
    equal(await messages.nextOffset("bad"), 0, "the next offset after refused messages");
  }),
  check({ title: "properties that Envelope does not name" }, async (context) => {
    const store = await context.store();
    const extra = {
      stream: "other",
      offset: 99,
      globalOffset: -1,
      tenant: "t",
      notJson: Number.NaN,
      callback: () => 1,
    };
    const written = message({ kept: true });
    const absent = { causationId: undefined, correlationId: undefined, sendAt: undefined, metadata: undefined };
    await store.messages.appendMessages("first", 0, [{ ...written, ...extra, ...absent }]);
    const [recorded] = await readAll(store, "first");
    if (recorded === undefined) throw new Error("the message that was appended is not there");
    const { stream, offset, globalOffset: _, ...rest } = recorded;
    equal({ stream, offset }, { stream: "first", offset: 0 }, "the place of the message");
    equal(rest, written, "the message: what Envelope names, and no more");
    await store.messages.appendMessages("second", 0, [recorded]);
    await store.messages.appendMessages("second", 1, [recorded, written]);
    for (const again of await readAll(store, "second"))
      equal(fieldsOf(again), fieldsOf(written), "the message appended again");
  }),
);

import type { Envelope, RecordedEnvelope } from "../../contract/envelope.ts";
import type { Context } from "../clause.ts";
import { check, clause } from "../define.ts";
import { equal } from "../expect.ts";
import type { Random } from "../random.ts";
import { message, readAll } from "./fixtures.ts";
import { opened, ordered, present, take, waysToOpen } from "./opened.ts";

const texts = [
  "",
  "plain",
  'é\u0301 \u{1f600} \u2028 \u0000 "quoted" \\',
  "\ud800 alone",
  "__proto__",
  "a".repeat(300),
];
const numbers = [0, 1, -1, 0.1, 1e21, 5e-324, Number.MAX_VALUE, Number.MIN_SAFE_INTEGER, 2 ** 53];

function randomJson(random: Random, depth: number): unknown {
  const kind = random.integer(depth === 0 ? 4 : 6);
  if (kind === 0) return random.pick([null, true, false].map((value) => ({ value }))).value;
  if (kind === 1) return random.pick(numbers);
  if (kind === 2) return random.pick(texts);
  if (kind === 3) return random.next();
  const items = Array.from({ length: random.integer(5) }, () => randomJson(random, depth - 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item, index) => [`${random.pick(texts).slice(0, 20)}${index}`, item]));
}

function randomEnvelope(random: Random): Envelope {
  const maybe = <T>(value: T): T | undefined => (random.integer(2) === 0 ? undefined : value);
  const data =
    random.integer(5) === 0
      ? Uint8Array.from({ length: random.integer(400) }, () => random.integer(256))
      : randomJson(random, 4);
  return message(data, {
    type: random.pick(["OrderPlaced", "order/placed", "é", "  "]),
    createdAt: random.pick(["2024-02-29T12:00:00Z", "1999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00.0Z"]),
    causationId: maybe(random.pick(["", "cause", "c".repeat(600)])),
    correlationId: maybe("conversation"),
    sendAt: maybe("2030-01-01T00:00:00.5Z"),
    metadata: maybe({ traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "": "" }),
  });
}

function fixedEnvelopes(): Envelope[] {
  const long = "0123456789abcdef".repeat(4096 * 10);
  return [
    message(null),
    message({}),
    message([]),
    message(""),
    message(new Uint8Array()),
    message(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
    message({ deep: [[[{ a: [null, { b: [] }] }]]] }),
    message(long),
    message(1, { id: "i".repeat(512), type: "t".repeat(512), causationId: undefined, metadata: {} }),
  ];
}

/** What must be read of envelopes written from `from` on. */
function recorded(envelopes: readonly Envelope[], from = 0): unknown[] {
  return envelopes.map((envelope, index) => ({ ...present(envelope), stream: "orders", offset: from + index }));
}

/** What was read, without the global offset, which is checked by itself. */
function withoutOrder(found: readonly RecordedEnvelope[]): unknown[] {
  return found.map((one) => {
    const { globalOffset: _, ...rest } = present(one);
    return rest;
  });
}

async function written(context: Context): Promise<Envelope[]> {
  return [...fixedEnvelopes(), ...Array.from({ length: 60 }, () => randomEnvelope(context.random))];
}

export const fidelityClause = clause(
  "R-12",
  "every message read equals the one written, field by field, after V-1 and V-6.",
  check({ title: "by every kind of cursor" }, async (context) => {
    const store = await context.store();
    const envelopes = await written(context);
    await store.messages.appendMessages("orders", 0, envelopes);
    for (const [way, open] of waysToOpen(store, "orders")) {
      const found = await take(await open(0), envelopes.length);
      equal(withoutOrder(found), recorded(envelopes), `${way}: the messages`);
      const positions = found.map(({ globalOffset }) => globalOffset);
      const wanted = envelopes.map((_, offset) => (context.capabilities.globalOrder ? offset : undefined));
      equal(positions, wanted, `${way}: their global offsets`);
    }
    const looped: RecordedEnvelope[] = [];
    for await (const one of await opened(store, "orders")) {
      looped.push(one);
      if (looped.length === envelopes.length) break;
    }
    equal(withoutOrder(looped), recorded(envelopes), "the messages, by iteration");
  }),
  check({ title: "many streams, one message a call" }, async (context) => {
    const store = await context.store();
    const envelopes = (await written(context)).slice(0, 30);
    for (const [index, envelope] of envelopes.entries()) {
      await store.messages.appendMessages(`orders-${index % 3}`, Math.floor(index / 3), [envelope]);
    }
    for (const [index, envelope] of envelopes.entries()) {
      const [found] = await readAll(store, `orders-${index % 3}`, Math.floor(index / 3));
      const place = { stream: `orders-${index % 3}`, offset: Math.floor(index / 3) };
      equal(withoutOrder(found === undefined ? [] : [found]), [{ ...present(envelope), ...place }], "the message");
    }
  }),
  check({ title: "after a reopen", level: "process" }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const envelopes = await written(context);
    await store.messages.appendMessages("orders", 0, envelopes);
    await store.close();
    equal(
      withoutOrder(await readAll(await place.open(), "orders")),
      recorded(envelopes),
      "the messages after a reopen",
    );
  }),
  check({ title: "by another process", level: "process", hook: "module", timeoutMs: 30_000 }, async (context) => {
    const place = await context.place();
    const store = await place.open();
    const envelopes = await written(context);
    await store.messages.appendMessages("orders", 0, envelopes);
    const reader = await place.spawn("readBack", { stream: "orders" });
    const { messages } = await reader.report<{ messages: RecordedEnvelope[] }>();
    // Buffers cross the channel as Uint8Arrays, and so they must.
    equal(withoutOrder(messages), recorded(envelopes), "the messages that another process reads");
    if (context.capabilities.globalOrder) {
      equal(await ordered(store).nextGlobalOffset(), envelopes.length, "the end of the global order");
    }
  }),
);

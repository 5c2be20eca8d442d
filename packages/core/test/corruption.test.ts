import { describe, expect, test } from "vitest";
import { CorruptionError } from "../src/contract/errors.ts";
import type { StoredMessage, StoredState } from "../src/driver/index.ts";
import { createEnvelope } from "../src/envelope/create-envelope.ts";
import { MemoryDriver } from "../src/memory/memory-driver.ts";
import { DriverDataStore } from "../src/store/driver-data-store.ts";
import { overriding } from "./saboteurs/overriding.ts";

const settings = { settleTimeoutMs: 1_000, noticeMs: 1 };

/** A store whose bytes are what `damage` makes of them. */
async function stored() {
  const driver = new MemoryDriver();
  const honest = new DriverDataStore(driver, settings);
  const metadata = { traceparent: "00-4bf9" };
  const data = { total: 12.5, lines: ["é", "\ud800"] };
  const envelopes = [
    createEnvelope({ type: "OrderPlaced", data, metadata }),
    createEnvelope({ type: "OrderPaid", data: new Uint8Array([1, 2, 3]) }),
  ];
  await honest.messages.appendMessages("orders", 0, envelopes, { commitId: "the commit" });
  await honest.messages.appendMessages("payments", 0, envelopes);
  await honest.state.upsert("cart", 0, { total: 1 }, { commitId: "the commit" });
  await honest.state.upsert("cart", 1, { total: 2 });
  const damage: {
    message?: (stored: StoredMessage) => StoredMessage;
    state?: (stored: StoredState) => StoredState;
    receipt?: string;
  } = {};
  const store = new DriverDataStore(
    overriding(driver, {
      readStream: async (stream, from, limit) =>
        (await driver.readStream(stream, from, limit)).map((one) => damage.message?.(one) ?? one),
      readState: async (id) => {
        const state = await driver.readState(id);
        return state && (damage.state?.(state) ?? state);
      },
      readReceipt: async (id, revision) => damage.receipt ?? (await driver.readReceipt(id, revision)),
    }),
    settings,
  );
  return { driver, store, damage, envelopes };
}

async function readOne(store: DriverDataStore, offset: number): Promise<unknown> {
  const cursor = await store.messages.followStream("orders", offset);
  await cursor.next();
  return cursor.get();
}

/** Every text that differs from this one in one character: changed, left out, or doubled. */
function* slips(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    const [before, after] = [text.slice(0, at), text.slice(at + 1)];
    const character = text.charAt(at);
    for (const other of ["0", "x", '"', " ", String.fromCharCode(text.charCodeAt(at) ^ 1)]) {
      if (other !== character) yield before + other + after;
    }
    yield before + after;
    yield before + character + character + after;
  }
}

describe("damage is told, never read", () => {
  test.each([0, 1])("every single character of the message at offset %i", async (offset) => {
    const { driver, store, damage } = await stored();
    const [first] = await driver.readStream("orders", offset, { maxRecords: 1, maxBytes: 1 });
    let tried = 0;
    for (const record of slips(first?.record ?? "")) {
      damage.message = (one) => ({ ...one, record });
      await expect(readOne(store, offset), record).rejects.toBeInstanceOf(CorruptionError);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(500);
    damage.message = (one) => one;
    expect(await readOne(store, offset)).toMatchObject({ stream: "orders", offset });
  });

  test("every single character of a state", async () => {
    const { driver, store, damage } = await stored();
    const state = await driver.readState("cart");
    for (const record of slips(state?.record ?? "")) {
      damage.state = (one) => ({ ...one, record });
      await expect(store.state.load("cart"), record).rejects.toBeInstanceOf(CorruptionError);
    }
  });

  test("every single character of a receipt, where a repeat asks for it", async () => {
    const { driver, store, damage } = await stored();
    const whole = (await driver.readReceipt("cart", 1)) ?? "";
    const ofAnotherRevision = (await driver.readReceipt("cart", 2)) ?? "";
    for (const receipt of [...slips(whole), ofAnotherRevision]) {
      damage.receipt = receipt;
      const repeat = store.state.upsert("cart", 0, { total: 1 }, { commitId: "the commit" });
      await expect(repeat, receipt).rejects.toBeInstanceOf(CorruptionError);
    }
  });

  test("a message in another's place, of this stream or of another", async () => {
    const { driver, store, damage } = await stored();
    const limit = { maxRecords: 9, maxBytes: 1e6 };
    const own = await driver.readStream("orders", 0, limit);
    const others = await driver.readStream("payments", 0, limit);
    for (const record of [own[1]?.record, others[0]?.record]) {
      damage.message = (one) => ({ ...one, record: record ?? "" });
      await expect(readOne(store, 0)).rejects.toBeInstanceOf(CorruptionError);
    }
  });

  test("a state of an older revision, or of another id", async () => {
    const { driver, store, damage } = await stored();
    const state = await driver.readState("cart");
    damage.state = (one) => ({ ...one, revision: one.revision - 1 });
    await expect(store.state.load("cart")).rejects.toBeInstanceOf(CorruptionError);
    delete damage.state;
    const other = overriding(driver, { readState: async () => state });
    await expect(new DriverDataStore(other, settings).state.load("basket")).rejects.toBeInstanceOf(CorruptionError);
  });

  test("a message that is missing among those that are there", async () => {
    const { driver } = await stored();
    const gap = overriding(driver, {
      readStream: async (stream, from, limit) => await driver.readStream(stream, from + 1, limit),
    });
    await expect(readOne(new DriverDataStore(gap, settings), 0)).rejects.toBeInstanceOf(CorruptionError);
  });

  test("a cursor does not move over damage, and reads on when it is mended", async () => {
    const { store, damage, envelopes } = await stored();
    const cursor = await store.messages.followStream("orders", 0);
    damage.message = (one) => (one.offset === 1 ? { ...one, record: `${one.record} ` } : one);
    await cursor.next();
    await expect(cursor.next()).rejects.toBeInstanceOf(CorruptionError);
    await expect(cursor.tryNext()).rejects.toBeInstanceOf(CorruptionError);
    expect(cursor.offset()).toBe(0);
    expect(cursor.get().id).toBe(envelopes[0]?.id);
  });
});

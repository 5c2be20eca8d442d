import { describe, expect, expectTypeOf, test, vi } from "vitest";
import type { Envelope } from "../src/contract/envelope.ts";
import { createEnvelope } from "../src/envelope/create-envelope.ts";

const timeOf = (uuid: string) => Number.parseInt(uuid.replaceAll("-", "").slice(0, 12), 16);

describe("createEnvelope", () => {
  test("fills in a UUIDv7 and the time, and no more", () => {
    const before = Date.now();
    const envelope = createEnvelope({ type: "OrderPlaced", data: { total: 1 } });
    const after = Date.now();
    expect(Object.keys(envelope).sort()).toEqual(["createdAt", "data", "id", "type"]);
    expect(envelope.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const time of [timeOf(envelope.id), Date.parse(envelope.createdAt)]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(after);
    }
    expect(envelope.createdAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  });

  test("ids are unique, and sort by their time to the millisecond", () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const ids: string[] = [];
      for (let millisecond = 0; millisecond < 20; millisecond++) {
        vi.setSystemTime(1_700_000_000_000 + millisecond);
        const made = Array.from({ length: 50 }, () => createEnvelope({ type: "T", data: null }).id);
        expect(new Set(made.map(timeOf))).toEqual(new Set([1_700_000_000_000 + millisecond]));
        ids.push(...made.sort());
      }
      expect(new Set(ids).size).toBe(1_000);
      expect(ids.toSorted()).toEqual(ids);
    } finally {
      vi.useRealTimers();
    }
  });

  test("causedBy gives causationId and correlationId", () => {
    const first = createEnvelope({ type: "First", data: 1 });
    const second = createEnvelope({ type: "Second", data: 2, causedBy: first });
    const third = createEnvelope({ type: "Third", data: 3, causedBy: second });
    expect(second).toMatchObject({ causationId: first.id, correlationId: first.id });
    expect(third).toMatchObject({ causationId: second.id, correlationId: first.id });
  });

  test("what is given explicitly wins, and undefined means absent", () => {
    const causedBy = createEnvelope({ type: "Cause", data: null, correlationId: "conversation" });
    const given = {
      id: "my id",
      createdAt: "not checked here",
      causationId: "a",
      correlationId: "b",
      sendAt: "c",
      metadata: { key: "value" },
    };
    const all = createEnvelope({ type: "T", data: 1, causedBy, ...given });
    expect(all).toEqual({ type: "T", data: 1, ...given });
    const absent = createEnvelope({
      type: "T",
      data: 1,
      id: undefined,
      createdAt: undefined,
      causedBy,
      causationId: undefined,
      correlationId: undefined,
      sendAt: undefined,
      metadata: undefined,
    });
    expect(Object.keys(absent).sort()).toEqual(["causationId", "correlationId", "createdAt", "data", "id", "type"]);
    expect(absent).toMatchObject({ causationId: causedBy.id, correlationId: "conversation" });
  });

  test("keeps the literal type and the type of the data", () => {
    const envelope = createEnvelope({ type: "OrderPlaced", data: { total: 1 } });
    expectTypeOf(envelope).toEqualTypeOf<Envelope<{ total: number }, "OrderPlaced">>();
    expect(envelope.type).toBe("OrderPlaced");
  });
});

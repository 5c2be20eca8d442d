import { describe, expect, test, vi } from "vitest";
import { OffsetConflictError, UnavailableError } from "../src/contract/errors.ts";
import { createEnvelope } from "../src/envelope/create-envelope.ts";
import { type Scripted, type Step, scripted } from "./scripted.ts";

const message = (data: unknown) => createEnvelope({ type: "Tested", data });
const sizes = ({ calls }: Scripted) => calls.map((commits) => commits.length);

function append({ store }: Scripted, stream: string, offset = 0, data: unknown = offset): Promise<void> {
  return store.messages.appendMessages(stream, offset, [message(data)]);
}

/** A call that is held up until `open` is called. */
function gate(): { readonly step: Step; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const step: Step = async (_, apply) => {
    await opened;
    return apply();
  };
  return { step, open: () => open() };
}

describe("group commit", () => {
  test("what is called in one turn travels together", async () => {
    const setting = scripted();
    await Promise.all(Array.from({ length: 64 }, (_, index) => append(setting, `stream-${index}`)));
    expect(sizes(setting)).toEqual([64]);
  });

  test("what comes while a call is under way travels together behind it", async () => {
    const setting = scripted();
    const { step, open } = gate();
    setting.script.push(step);
    const first = append(setting, "first");
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 20 }, (_, index) => append(setting, "others", index));
    expect(sizes(setting)).toEqual([1]);
    open();
    await Promise.all([first, ...others]);
    expect(sizes(setting)).toEqual([1, 20]);
  });

  test("64 writers, each awaiting its own, stay together: no groups of 1 and 63", async () => {
    const setting = scripted();
    const rounds = 10;
    const write = async (stream: string) => {
      for (let offset = 0; offset < rounds; offset++) await append(setting, stream, offset);
    };
    await Promise.all(Array.from({ length: 64 }, (_, index) => write(`stream-${index}`)));
    expect(sizes(setting)).toEqual(Array.from({ length: rounds }, () => 64));
  });

  test("a lone append waits for no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    try {
      const setting = scripted();
      for (let offset = 0; offset < 3; offset++) await append(setting, "orders", offset);
      expect(sizes(setting)).toEqual([1, 1, 1]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a member that is refused fails alone", async () => {
    const setting = scripted();
    const outcomes = await Promise.allSettled([
      append(setting, "a"),
      append(setting, "b", 7),
      append(setting, "c"),
      append(setting, "a"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(OffsetConflictError);
    expect(sizes(setting)).toEqual([4]);
  });

  test("a group stays below maxGroupBytes, and a larger commit travels alone", async () => {
    const maxGroupBytes = 20_000;
    const setting = scripted({ maxGroupBytes });
    const kilobytes = [1, 1, 1, 50, 1, 1, ...Array.from({ length: 40 }, () => 2)];
    await Promise.all(kilobytes.map((size, index) => append(setting, "orders", index, "x".repeat(size * 1_000))));
    const groups = setting.calls.map((commits) => commits.map(({ bytes }) => bytes));
    for (const group of groups) {
      const bytes = group.reduce((sum, one) => sum + one, 0);
      expect(group.length === 1 || bytes <= maxGroupBytes).toBe(true);
    }
    expect(groups.filter((group) => group.some((bytes) => bytes > maxGroupBytes)).map(({ length }) => length)).toEqual([
      1,
    ]);
    expect(groups.flat()).toHaveLength(kilobytes.length);
    // Nor is it split further than it must be: 40 commits of 2 kB and more, nine to a group.
    expect(groups.length).toBeLessThanOrEqual(8);
  });

  test("an abort while it waits takes it out of the queue; once sent it changes nothing", async () => {
    const setting = scripted();
    const { step, open } = gate();
    setting.script.push(step);
    const controller = new AbortController();
    const { signal } = controller;
    const sent = setting.store.messages.appendMessages("sent", 0, [message(1)], { signal });
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = setting.store.messages.appendMessages("waiting", 0, [message(1)], { signal });
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    open();
    await sent;
    expect(await setting.store.messages.nextOffset("waiting")).toBe(0);
    expect(sizes(setting)).toEqual([1]);
  });

  test('where transactions are "key", each call writes one key, and no key waits for another', async () => {
    const setting = scripted({ transactions: "key" });
    const { step, open } = gate();
    setting.script.push(step);
    let slowIsDone = false;
    const slow = append(setting, "slow").then(() => {
      slowIsDone = true;
    });
    await Promise.all([append(setting, "fast"), append(setting, "fast", 1), setting.store.state.upsert("slow", 0, 1)]);
    expect(slowIsDone).toBe(false);
    open();
    await slow;
    expect(sizes(setting)).toEqual([1, 2, 1]);
    for (const commits of setting.calls) {
      const keys = commits.flatMap(({ writes }) =>
        writes.map((write) => (write.kind === "append" ? write.stream : write.persistenceId)),
      );
      expect(new Set(keys).size).toBe(1);
    }
  });

  test("what waits is bounded in bytes: beyond it writes are refused, and taken again once there is room", async () => {
    const setting = scripted();
    const { step, open } = gate();
    setting.script.push(step);
    const mebibytes = 4;
    const body = "x".repeat((mebibytes - 1) * 1024 * 1024);
    const first = append(setting, "first");
    await new Promise((resolve) => setImmediate(resolve));
    let refused = 0;
    const calls = Array.from({ length: 100 }, (_, index) =>
      append(setting, `stream-${index}`, 0, body).catch((error: unknown) => {
        expect(error).toBeInstanceOf(UnavailableError);
        refused += 1;
      }),
    );
    open();
    await Promise.all([first, ...calls]);
    // 256 MiB of 3 MiB each.
    expect(100 - refused).toBeGreaterThan(80);
    expect(100 - refused).toBeLessThanOrEqual(86);
    await append(setting, "later", 0, body);
  }, 30_000);
});

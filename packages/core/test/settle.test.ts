import { describe, expect, test } from "vitest";
import { CorruptionError, OffsetConflictError, OutcomeUnknownError, UnavailableError } from "../src/contract/errors.ts";
import type { CommitOutcome } from "../src/driver/index.ts";
import { createEnvelope } from "../src/envelope/create-envelope.ts";
import { DriverDataStore } from "../src/store/driver-data-store.ts";
import { loseReply, loseRequest, type Scripted, type Step, scripted } from "./scripted.ts";

const message = (data: unknown) => createEnvelope({ type: "Tested", data });
const settleTimeoutMs = 60;

function append({ store }: Scripted, offset: number, data: unknown = offset): Promise<void> {
  return store.messages.appendMessages("orders", offset, [message(data)]);
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail("it resolved"),
    (error: unknown) => error,
  );
}

async function unknown(call: Promise<unknown>): Promise<OutcomeUnknownError> {
  const error = await failure(call);
  if (!(error instanceof OutcomeUnknownError)) throw error;
  return error;
}

async function read({ store }: Scripted): Promise<unknown[]> {
  const cursor = await store.messages.followStream("orders", 0);
  const data: unknown[] = [];
  while (await cursor.tryNext()) data.push(cursor.get().data);
  return data;
}

/** Someone else's store on the same driver. */
function other({ driver }: Scripted): DriverDataStore {
  return new DriverDataStore(driver, { settleTimeoutMs, noticeMs: 1 });
}

const notWritten: Step = async (commits) => commits.map(() => ({ kind: "notWritten", cause: new Error("busy") }));

describe("a lost reply is settled before the caller is answered", () => {
  test.each([
    { what: "the reply", lost: loseReply },
    { what: "the request", lost: loseRequest },
  ])("$what was lost once: sent again, applied once", async ({ lost }) => {
    const setting = scripted();
    setting.script.push(lost);
    await append(setting, 0);
    expect(setting.calls).toHaveLength(2);
    expect(setting.calls[1]).toEqual(setting.calls[0]);
    expect(await read(setting)).toEqual([0]);
  });

  test("several replies lost in a row", async () => {
    const setting = scripted();
    setting.script.push(loseReply, loseRequest, loseReply, loseRequest);
    await append(setting, 0);
    expect(setting.calls).toHaveLength(5);
    expect(await read(setting)).toEqual([0]);
  });

  test("a driver that throws is one whose reply was lost", async () => {
    const setting = scripted();
    setting.script.push(() => Promise.reject(new Error("not allowed to reject")));
    await append(setting, 0);
    expect(await read(setting)).toEqual([0]);
  });

  test("a driver that forgets an outcome has lost it", async () => {
    const setting = scripted();
    setting.script.push(async (_, apply) => (await apply()).slice(1));
    await Promise.all([append(setting, 0), append(setting, 1)]);
    expect(await read(setting)).toEqual([0, 1]);
  });

  test("another took the place: a conflict", async () => {
    const setting = scripted();
    setting.script.push(async (commits, apply) => {
      await other(setting).messages.appendMessages("orders", 0, [message("other")]);
      return loseRequest(commits, apply);
    });
    const error = await failure(append(setting, 0));
    expect(error).toBeInstanceOf(OffsetConflictError);
    expect(error).toMatchObject({ stream: "orders", offset: 0, nextOffset: 1 });
    expect(await read(setting)).toEqual(["other"]);
  });

  test("a state that others wrote over is told by its receipt", async () => {
    const setting = scripted();
    setting.script.push(async (commits, apply) => {
      const lost = await loseReply(commits, apply);
      for (let revision = 1; revision <= 8; revision++) await other(setting).state.upsert("cart", revision, "other");
      return lost;
    });
    expect(await setting.store.state.upsert("cart", 0, "mine")).toMatchObject({ revision: 1, state: "mine" });
    expect(await setting.store.state.load("cart")).toMatchObject({ revision: 9, state: "other" });
  });

  test("only the member that was lost is sent again, and those refused behind it", async () => {
    const setting = scripted();
    setting.script.push(async (_, apply) =>
      (await apply()).map(
        (outcome, index): CommitOutcome => (index === 1 ? { kind: "uncertain", cause: undefined } : outcome),
      ),
    );
    const appends = ["a", "b", "c"].map((stream) =>
      setting.store.messages.appendMessages(stream, 0, [message(stream)]),
    );
    await Promise.all(appends);
    expect(setting.calls.map((commits) => commits.length)).toEqual([3, 1]);
  });
});

describe("what cannot be settled in time", () => {
  test("beyond the end after a lost reply nobody knows; once the place is taken it is known", async () => {
    const setting = scripted({}, settleTimeoutMs);
    setting.script.push(loseRequest);
    const error = await unknown(append(setting, 1));
    await unknown(error.settle());
    await append(setting, 0, "first");
    await append(setting, 1, "other");
    expect(await error.settle()).toBe(false);
    expect(await read(setting)).toEqual(["first", "other"]);
  });

  test("settle sends it again: true where it lands", async () => {
    const setting = scripted({}, settleTimeoutMs);
    setting.script.push(...Array.from({ length: 100 }, () => loseRequest));
    const error = await unknown(append(setting, 0, "mine"));
    expect(error.commitId).toBe(setting.calls[0]?.[0]?.id);
    setting.script.length = 0;
    expect(await error.settle()).toBe(true);
    expect(await error.settle()).toBe(true);
    expect(await read(setting)).toEqual(["mine"]);
  });

  test("settle heeds its signal", async () => {
    const setting = scripted({}, settleTimeoutMs);
    setting.script.push(...Array.from({ length: 100 }, () => loseRequest));
    const error = await unknown(append(setting, 0));
    await expect(error.settle({ signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  test("not written at first: UnavailableError, and nothing is there", async () => {
    const setting = scripted();
    setting.script.push(notWritten);
    expect(await failure(append(setting, 0))).toBeInstanceOf(UnavailableError);
    expect(setting.calls).toHaveLength(1);
    expect(await read(setting)).toEqual([]);
  });

  test("not written after a lost reply says nothing of the first try", async () => {
    const setting = scripted({}, settleTimeoutMs);
    setting.script.push(loseReply, ...Array.from({ length: 100 }, () => notWritten));
    await unknown(append(setting, 0, "mine"));
    expect(await read(setting)).toEqual(["mine"]);
  });

  test("damaged bytes in its place are told as such", async () => {
    const setting = scripted({
      readStream: async () => [{ stream: "orders", offset: 0, globalOffset: 0, record: "damaged" }],
    });
    setting.script.push(loseReply);
    expect(await failure(append(setting, 0))).toBeInstanceOf(CorruptionError);
  });
});

describe("a driver that hangs", () => {
  function hanging() {
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const hang: Step = async (_, apply) => {
      await answered;
      return apply();
    };
    return { hang, answer };
  }

  test("its callers are told in time, new writes are refused meanwhile, and all goes on once it answers", async () => {
    const setting = scripted({}, settleTimeoutMs);
    const { hang, answer } = hanging();
    setting.script.push(hang);
    const reader = await setting.store.messages.followStream("orders", 0);
    const reading = reader.next();
    const sent = append(setting, 0, "sent");
    await new Promise((resolve) => setImmediate(resolve));
    const queued = failure(append(setting, 1, "queued"));
    const from = performance.now();
    const error = await unknown(sent);
    expect(performance.now() - from).toBeLessThan(settleTimeoutMs + 2_000);
    expect(await queued).toBeInstanceOf(UnavailableError);
    expect(await failure(append(setting, 1, "late"))).toBeInstanceOf(UnavailableError);
    await unknown(error.settle());
    expect(setting.calls).toHaveLength(1);
    answer();
    await reading;
    expect(reader.get().data).toBe("sent");
    expect(await error.settle()).toBe(true);
    await append(setting, 1, "next");
    expect(await read(setting)).toEqual(["sent", "next"]);
  });

  test("close gives up on it in time", async () => {
    const setting = scripted({}, settleTimeoutMs);
    const { hang, answer } = hanging();
    setting.script.push(hang);
    const sent = unknown(append(setting, 0));
    await new Promise((resolve) => setImmediate(resolve));
    const queued = failure(append(setting, 1));
    await setting.store.close();
    expect(await sent).toBeInstanceOf(OutcomeUnknownError);
    expect(await queued).toBeInstanceOf(UnavailableError);
    answer();
  });
});

describe("a sync that failed", () => {
  test("its members are unknown, everything after it is HOLDFAST_REOPEN, and nothing more is sent", async () => {
    const setting = scripted();
    setting.script.push(async (commits) => commits.map(() => ({ kind: "reopen", cause: new Error("EIO") })));
    const errors = await Promise.all([unknown(append(setting, 0)), unknown(append(setting, 1))]);
    expect(await failure(append(setting, 0))).toMatchObject({ code: "HOLDFAST_REOPEN" });
    for (const error of errors) expect(await failure(error.settle())).toMatchObject({ code: "HOLDFAST_REOPEN" });
    expect(setting.calls).toHaveLength(1);
  });
});

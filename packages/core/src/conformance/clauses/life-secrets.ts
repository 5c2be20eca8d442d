import { inspect } from "node:util";
import type { DataStore } from "../../contract/data-store.ts";
import type { Context } from "../clause.ts";
import { check, clause } from "../define.ts";
import { isTrue } from "../expect.ts";
import { message, numbered, started } from "./fixtures.ts";
import { opened } from "./opened.ts";

/** Stands for what must never leave a payload. */
const secret = "SECRET-4111111111111111";

function payload(): { readonly card: string; readonly nested: readonly string[] } {
  return { card: secret, nested: [secret, `${secret}-again`] };
}

type Provocations = Readonly<Record<string, () => unknown>>;

/** Calls that fail, each with the secret in what it was to write or read. */
function provocations(store: DataStore): Provocations {
  const { messages, state } = store;
  const big = secret.repeat(200_000);
  const cyclic: { card: string; self?: unknown } = { card: secret };
  cyclic.self = cyclic;
  return {
    "an append at a taken offset": () => messages.appendMessages("orders", 0, [message(payload())]),
    "an append beyond the end": () => messages.appendMessages("orders", 9, [message(payload())]),
    "an append of what JSON cannot hold": () =>
      messages.appendMessages("orders", 1, [message({ ...payload(), total: Number.NaN })]),
    "an append of a cycle": () => messages.appendMessages("orders", 1, [message(cyclic)]),
    "an append of a message too big": () => messages.appendMessages("orders", 1, [message(big)]),
    "an append of a bad envelope": () =>
      messages.appendMessages("orders", 1, [message(payload(), { createdAt: "today" })]),
    "an append of a bad batch": () =>
      messages.appendMessages("orders", 1, [message(payload()), secret as unknown as ReturnType<typeof message>]),
    "another content under a commitId": () =>
      messages.appendMessages("orders", 0, [message(payload())], { commitId: "first" }),
    "a state at a wrong revision": () => state.upsert("order", 0, payload()),
    "a state that JSON cannot hold": () => state.upsert("order", 1, { ...payload(), when: new Date() }),
    "a state that is too big": () => state.upsert("order", 1, big),
    "a deletion at a wrong revision": () => state.delete("order", 7),
    "a transaction that clashes with itself": () =>
      store.transaction(async (tx) => {
        await tx.state.upsert("order", 1, payload());
        await tx.state.upsert("order", 1, payload());
      }),
    "a transaction that clashes with the store": () =>
      store.transaction(async (tx) => {
        await tx.messages.appendMessages("orders", 0, [message(payload())]);
      }),
    "a transaction over two keys": () =>
      store.transaction(async (tx) => {
        await tx.messages.appendMessages("orders", 1, [message(payload())]);
        await tx.state.upsert("order", 0, payload());
      }),
    "a bad stream name": () => messages.nextOffset("\ud800"),
  };
}

/** The error of a call that must fail; undefined if it does not. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Everything that a log line or a crash report would show of an error, down its causes. */
function shown(error: unknown): string {
  const parts = [inspect(error, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null })];
  for (let one = error; one instanceof Error; one = one.cause) {
    parts.push(
      String(one),
      one.message,
      one.stack ?? "",
      JSON.stringify(one) ?? "",
      ...Object.getOwnPropertyNames(one),
    );
  }
  return parts.join("\n");
}

function keepsSecret(error: unknown, what: string): void {
  isTrue(error !== undefined, `${what} fails`, "it did not");
  const text = shown(error);
  const at = text.indexOf(secret);
  isTrue(at < 0, `the error of ${what} shows no payload`, text.slice(Math.max(0, at - 200), at + 60));
}

/** Runs `work` with the console replaced; gives what was written to it. */
async function logged(work: () => Promise<void>): Promise<string> {
  const lines: string[] = [];
  const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;
  const own = methods.map((method) => [method, console[method]] as const);
  for (const method of methods)
    console[method] = (...values: unknown[]) => void lines.push(values.map((value) => inspect(value)).join(" "));
  try {
    await work();
  } finally {
    for (const [method, original] of own) console[method] = original;
  }
  return lines.join("\n");
}

async function start(context: Context): Promise<DataStore> {
  const store = await context.store({ settleTimeoutMs: 100 });
  await store.messages.appendMessages("orders", 0, [message(payload())], { commitId: "first" });
  await store.state.upsert("order", 0, payload());
  return store;
}

export const secretsClause = clause(
  "L-6",
  "no payload, credential or connection string appears in an error, its `cause` (reduced to name, code and a scrubbed message) or a log.",
  check({ title: "errors of writes, reads and cursors, and the log", alone: true }, async (context) => {
    const log = await logged(async () => {
      const store = await start(context);
      for (const [what, call] of Object.entries(provocations(store))) keepsSecret(await errorOf(call), what);
      const cursor = await opened(store, "orders");
      keepsSecret(await errorOf(() => cursor.get()), "get before the first message");
      await cursor.next();
      const waiting = started(errorOf(() => cursor.next()));
      keepsSecret(await errorOf(() => cursor.next()), "a second next");
      await store.close();
      keepsSecret(await waiting, "a next that was pending at close");
      keepsSecret(
        await errorOf(() => store.messages.appendMessages("orders", 1, [message(payload())])),
        "an append after close",
      );
    });
    isTrue(!log.includes(secret), "the log shows no payload", log);
  }),
  check({ title: "a lost reply", level: "fault", hook: "loseReplies" }, async (context) => {
    const store = await start(context);
    await context.faults.loseReplies?.(store, 1_000_000);
    keepsSecret(
      await errorOf(() => store.messages.appendMessages("orders", 1, [message(payload())])),
      "an append whose reply is lost",
    );
    keepsSecret(await errorOf(() => store.state.upsert("order", 1, payload())), "an upsert whose reply is lost");
    await context.faults.loseReplies?.(store, 0);
  }),
  check({ title: "a failed sync", level: "fault", needs: { durable: true }, hook: "failSync" }, async (context) => {
    const store = await start(context);
    await context.faults.failSync?.(store);
    const append = () => store.messages.appendMessages("orders", 1, [message(payload())]);
    keepsSecret(await errorOf(append), "an append whose sync fails");
    keepsSecret(await errorOf(append), "an append after a failed sync");
  }),
  check(
    { title: "damage", level: "fault", needs: { durable: true }, hook: "damage", timeoutMs: 30_000 },
    async (context) => {
      for (let seed = 0; seed < 8; seed++) {
        const place = await context.place();
        const store = await place.open();
        const batch = numbered(0, 8).map((one) => ({ ...one, data: payload() }));
        await store.messages.appendMessages("orders", 0, batch);
        await store.state.upsert("order", 0, payload());
        await store.close();
        await context.faults.damage?.(place.name, seed);
        const error = await errorOf(async () => {
          const damaged = await place.open();
          await damaged.state.load("order");
          const cursor = await opened(damaged, "orders");
          while (await cursor.tryNext()) cursor.get();
        });
        isTrue(!shown(error).includes(secret), "the error of damaged bytes shows no payload", error);
      }
    },
  ),
);

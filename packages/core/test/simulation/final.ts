import type { FinalState, GlobalMessage } from "../../src/conformance/history/history.ts";
import type { GloballyOrderedDriver } from "../../src/driver/store-driver.ts";
import { IDS } from "./desk.ts";
import type { Message, Store } from "./simulated-process.ts";

const PAGE = { maxRecords: 50, maxBytes: 16 * 1024 };
const KEPT_RECEIPTS = 9;

/** The whole store as its users see it. */
export async function finalStateOf(store: Store): Promise<FinalState> {
  const streams: { stream: string; tokens: string[] }[] = [];
  for await (const { stream } of store.messages.listStreams()) {
    const cursor = await store.messages.followStream<Message>(stream, 0);
    const tokens: string[] = [];
    while (await cursor.tryNext()) tokens.push(cursor.get().data.token);
    await cursor.close();
    streams.push({ stream, tokens });
  }
  streams.sort((left, right) => (left.stream < right.stream ? -1 : 1));
  const global: GlobalMessage[] = [];
  const cursor = await store.messages.openGlobal<Message>(0);
  while (await cursor.tryNext()) {
    const { stream, offset, globalOffset, data } = cursor.get();
    global.push({ globalOffset: globalOffset ?? -1, stream, offset, token: data.token });
  }
  await cursor.close();
  const states = [];
  for (const persistenceId of IDS) {
    const { revision, state } = await store.state.load<{ readonly token: string }>(persistenceId);
    states.push({ persistenceId, revision, token: state?.token ?? null });
  }
  return { streams, global, states };
}

/** All that a driver can tell of a store, receipts included: two that hold the same tell the same. */
export async function contentsOf(driver: GloballyOrderedDriver): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await driver.listStreams("", after);
    for (const { stream, nextOffset } of page.items) {
      lines.push(`stream ${stream}: next offset ${nextOffset}, ${await driver.nextOffset(stream)}`);
      for (let from = 0; from < nextOffset; ) {
        const messages = await driver.readStream(stream, from, PAGE);
        if (messages.length === 0) break;
        for (const message of messages) lines.push(`message ${JSON.stringify(message)}`);
        from += messages.length;
      }
    }
    after = page.next;
  }
  const nextGlobal = await driver.nextGlobalOffset();
  lines.push(`next global offset ${nextGlobal}`);
  for (let from = 0; from < nextGlobal; ) {
    const messages = await driver.readGlobal(from, PAGE);
    if (messages.length === 0) break;
    for (const message of messages) lines.push(`global ${JSON.stringify(message)}`);
    from += messages.length;
  }
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await driver.listStates("", after);
    for (const persistenceId of page.items) lines.push(`live ${persistenceId}`);
    after = page.next;
  }
  for (const persistenceId of IDS) {
    const state = await driver.readState(persistenceId);
    if (state === undefined) continue;
    lines.push(`state ${persistenceId} ${state.revision} ${state.record}`);
    for (let revision = state.revision; revision > Math.max(0, state.revision - KEPT_RECEIPTS); revision -= 1) {
      lines.push(`receipt ${revision} ${await driver.readReceipt(persistenceId, revision)}`);
    }
  }
  // Streams are listed in no promised order.
  return lines.sort();
}

/** Where two contents differ first. */
export function differenceOf(left: readonly string[], right: readonly string[]): string | undefined {
  const index = Array.from({ length: Math.max(left.length, right.length) }).findIndex(
    (_, at) => left[at] !== right[at],
  );
  return index < 0 ? undefined : `${left[index] ?? "nothing"}\n  and not\n  ${right[index] ?? "nothing"}`;
}

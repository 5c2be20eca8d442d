import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { MessageStream } from "../../contract/message-stream.ts";
import type { FinalRecord, FinalState, GlobalMessage, History } from "./history.ts";

/** Reads the whole store, once nothing is under way any more: every stream there is, and every state that the history names. */
export async function readFinalState(store: DataStore, history: History): Promise<FinalState> {
  const names = new Set<string>();
  const ids = new Set<string>();
  for await (const { stream } of store.messages.listStreams()) names.add(stream);
  for (const operation of history) {
    if (operation.kind === "load") ids.add(operation.persistenceId);
    for (const write of operation.kind === "commit" ? operation.writes : []) {
      if (write.kind === "append") names.add(write.stream);
      else ids.add(write.persistenceId);
    }
  }
  const streams: { stream: string; tokens: string[] }[] = [];
  for (const stream of names) {
    const found = await readAll(await store.messages.followStream(stream, 0));
    if (found.length > 0) streams.push({ stream, tokens: found.map(({ token }) => token) });
  }
  const states: FinalRecord[] = [];
  for (const persistenceId of ids) {
    const { revision, state } = await store.state.load<{ readonly token?: string }>(persistenceId);
    states.push({ persistenceId, revision, token: state?.token ?? null });
  }
  if (!hasGlobalOrder(store)) return { streams, states };
  return { streams, states, global: await readAll(await store.messages.openGlobal(0)) };
}

async function readAll(cursor: MessageStream): Promise<GlobalMessage[]> {
  const found: GlobalMessage[] = [];
  while (await cursor.tryNext()) {
    const { id, stream, offset, globalOffset = -1 } = cursor.get();
    found.push({ globalOffset, stream, offset, token: id });
  }
  await cursor.close();
  return found;
}

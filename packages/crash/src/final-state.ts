import type { FinalRecord, FinalState, GlobalMessage, History } from "@holdfast/core/conformance";
import type { Backend } from "./backends.ts";
import { tokenOf } from "./message.ts";
import { globalMessage } from "./reader.ts";

/** What a store holds once every process that used it has ended, read through the public interfaces. */
export interface Reopened {
  readonly storeId: string;
  readonly state: FinalState;
}

/** Opens the store, reads all of it, and closes it. */
export async function reopen(backend: Backend, folder: string, history: History): Promise<Reopened> {
  const store = await backend.open(folder);
  try {
    const global: GlobalMessage[] = [];
    await using all = await store.messages.openGlobal(0);
    while (await all.tryNext()) global.push(globalMessage(all));
    const streams: { stream: string; tokens: string[] }[] = [];
    for await (const { stream } of store.messages.listStreams()) {
      const tokens: string[] = [];
      await using cursor = await store.messages.followStream(stream, 0);
      while (await cursor.tryNext()) tokens.push(tokenOf(cursor.get().data));
      streams.push({ stream, tokens });
    }
    const states: FinalRecord[] = [];
    for (const persistenceId of idsIn(history)) {
      const { revision, state } = await store.state.load(persistenceId);
      states.push({ persistenceId, revision, token: state === undefined ? null : tokenOf(state) });
    }
    return { storeId: store.id, state: { streams, global, states } };
  } finally {
    await store.close();
  }
}

function idsIn(history: History): ReadonlySet<string> {
  return new Set(
    history.flatMap((operation) =>
      operation.kind === "commit"
        ? operation.writes.flatMap((write) => (write.kind === "append" ? [] : [write.persistenceId]))
        : [],
    ),
  );
}

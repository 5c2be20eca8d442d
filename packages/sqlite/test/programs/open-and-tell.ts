import { SqliteDataStore } from "@holdfast/sqlite";

/** Opens a store, tells its id or the error's code, and closes it. */
const [, , path = ""] = process.argv;
try {
  const store = await SqliteDataStore.open({ path });
  process.send?.(store.id);
  await store.close();
} catch (error) {
  process.send?.((error as { readonly code?: unknown }).code ?? String(error));
}
process.disconnect();

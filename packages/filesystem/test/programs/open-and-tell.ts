import { FilesystemDataStore } from "@holdfast/filesystem";

/** Opens a store, tells its id or the error's code, and closes it. */
const [, , directory = ""] = process.argv;
try {
  const store = await FilesystemDataStore.open({ directory });
  process.send?.(store.id);
  await store.close();
} catch (error) {
  process.send?.((error as { readonly code?: unknown }).code ?? String(error));
}
process.disconnect();

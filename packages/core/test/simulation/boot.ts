import crypto from "node:crypto";
import { registerHooks, syncBuiltinESMExports } from "node:module";
import { installVirtualTime, virtualBytes, virtualUuid } from "./scheduler.ts";

/** Commit ids that core makes are counted per process, for ever; here they begin anew with each run. */
const COMMIT_IDS = `
  export function newCommitId() {
    return globalThis.simulatedCommitId();
  }
`;

/** Sizes that a store meets after thousands of merges, a run meets after a few. */
const SMALL: Readonly<Record<string, readonly [find: string, replace: string]>> = {
  "/src/commit-log/merge.ts": ["const MAX_EXTENTS = 32;", "const MAX_EXTENTS = 3;"],
  "/src/commit-log/pieces.ts": ["const MAX_GROUP_BYTES = 1024 * 1024;", "const MAX_GROUP_BYTES = 1024;"],
  "/src/commit-log/log-reads.ts": ["const PARALLEL_READS = 16;", "const PARALLEL_READS = 3;"],
  "/src/commit-log/listing.ts": ["const NAMES_A_PAGE = 1_000;", "const NAMES_A_PAGE = 2;"],
  "/src/commit-log/rebuild.ts": ["const HEADER_BYTES = 64 * 1024;", "const HEADER_BYTES = 256;"],
  "/src/commit-log/follower.ts": ["const CATCH_UP_BYTES = 1024 * 1024;", "const CATCH_UP_BYTES = 2048;"],
};

// Imported before anything of the store is: from here on this process has no clock and no randomness but the seed's.
crypto.randomBytes = ((length: number) => virtualBytes(length)) as typeof crypto.randomBytes;
crypto.randomUUID = virtualUuid;
syncBuiltinESMExports();
registerHooks({
  load(url, context, nextLoad) {
    if (url.endsWith("/src/store/commit-id.ts")) return { format: "module", source: COMMIT_IDS, shortCircuit: true };
    const loaded = nextLoad(url, context);
    const file = Object.keys(SMALL).find((name) => url.endsWith(name));
    const [find, replace] = SMALL[file ?? ""] ?? [];
    if (find === undefined || replace === undefined) return loaded;
    const source = String(loaded.source);
    if (source.split(find).length !== 2) throw new Error(`${file} has no "${find}" any more: change boot.ts as well`);
    return { ...loaded, source: source.replace(find, replace) };
  },
});
Object.assign(globalThis, { simulatedCommitId: () => virtualBytes(6).toString("base64url") });
installVirtualTime();

/** The commit log: what a store must be that can append, or create a name only if it is absent, and the engine on it. */

export type {
  Appended,
  Archive,
  CommitLog,
  LogBlock,
  LogPage,
  Position,
  StoredCheckpoint,
  Witness,
} from "./commit-log.ts";
export { openLogDriver } from "./log-driver.ts";
export { isWhole, SEAL_BYTES, seal, statedSize } from "./seal.ts";
export { slotLog } from "./slot-log.ts";
export type { Slots } from "./slots.ts";

/** The SPI: all that an adapter author reads. A driver says how records are kept; core does everything above it. */

export { DriverDataStore, interceptCommits } from "../store/driver-data-store.ts";
export { openStore, type StoreSettings } from "../store/open-store.ts";
export type { CommitInterceptor } from "../store/settler.ts";
export type { AppendWrite, Commit, CommitOutcome, StateWrite, Write } from "./commit.ts";
export { DriverFailure, type FailureKind } from "./driver-failure.ts";
export {
  type GloballyOrderedDriver,
  isGloballyOrdered,
  type Page,
  type ReadLimit,
  type StoreDriver,
  type StoredMessage,
  type StoredState,
} from "./store-driver.ts";

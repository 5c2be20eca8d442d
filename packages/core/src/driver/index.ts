/** The SPI: all that an adapter author reads. A driver says how records are kept; core does everything above it. */
export type { AppendWrite, Commit, CommitOutcome, StateWrite, Write } from "./commit.ts";
export { DriverFailure, type FailureKind } from "./driver-failure.ts";
export {
  type GloballyOrderedDriver,
  isGloballyOrdered,
  type Page,
  type ReadLimit,
  type StoredMessage,
  type StoredState,
  type StoreDriver,
} from "./store-driver.ts";
export { DriverDataStore, interceptCommits } from "../store/driver-data-store.ts";
export { openStore, type StoreSettings } from "../store/open-store.ts";
export type { CommitInterceptor } from "../store/settler.ts";

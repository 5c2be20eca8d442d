/** The conformance suite: every clause of the contract as data, with checks that find it broken. */
export type { Check, Clause, Context, Hook, Level, Needs, Peer, Place } from "./clause.ts";
export { clauses } from "./clauses.ts";
export { conformance } from "./conformance.ts";
export { delayReplies, driverFaults } from "./driver-faults.ts";
export { ClauseViolation } from "./expect.ts";
export type { Faults, Harness, Runner } from "./harness.ts";
export { checkHistory } from "./history/check.ts";
export type { RaceCounts } from "./history/counts.ts";
export { readFinalState } from "./history/final-state.ts";
export type {
  CommitOperation,
  FinalRecord,
  FinalState,
  GlobalMessage,
  History,
  HistoryWrite,
  Operation,
  Outcome,
  ReadOperation,
  Span,
  Violation,
} from "./history/history.ts";
export {
  type RaceOptions,
  type RacePlace,
  type RaceResult,
  type RunningRace,
  raceOn,
  raceWorkers,
} from "./history/race.ts";
export { type RandomHistoryOptions, randomHistory } from "./history/random-history.ts";
export { type RecordedTransaction, Recorder, type RecorderOptions } from "./history/recorder.ts";
export type { Random } from "./random.ts";
export type { CheckResult } from "./run-check.ts";
export { runSuite, type SuiteOptions, type SuiteResult } from "./run-suite.ts";

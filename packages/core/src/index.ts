/** @holdfast/core: the contract, and what every backend shares. */
export { type Capabilities, type DataStore, hasGlobalOrder, type Transaction } from "./contract/data-store.ts";
export type { DurableStateRecord, DurableStateStore, StateAccess } from "./contract/durable-state-store.ts";
export type { Envelope, RecordedEnvelope } from "./contract/envelope.ts";
export {
  CorruptionError,
  type ErrorDetails,
  HoldfastError,
  InvalidArgumentError,
  type InvalidStateCode,
  InvalidStateError,
  OffsetConflictError,
  OutcomeUnknownError,
  RevisionConflictError,
  UnavailableError,
  UnsupportedError,
} from "./contract/errors.ts";
export type { GloballyOrderedMessageStore, MessageStore } from "./contract/message-store.ts";
export type { MessageStream } from "./contract/message-stream.ts";
export type { Offset, OffsetStore } from "./contract/offset-store.ts";
export type { OpenOptions, ReadOptions, WriteOptions } from "./contract/options.ts";
export { createEnvelope } from "./envelope/create-envelope.ts";
export { MemoryDataStore } from "./memory/memory-data-store.ts";
export { DurableStateOffsetStore } from "./offsets/durable-state-offset-store.ts";

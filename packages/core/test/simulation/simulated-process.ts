import type { CommitLog } from "../../src/commit-log/commit-log.ts";
import { openLogDriver } from "../../src/commit-log/log-driver.ts";
import type { Envelope } from "../../src/contract/envelope.ts";
import { CorruptionError } from "../../src/contract/errors.ts";
import type { GloballyOrderedMessageStore } from "../../src/contract/message-store.ts";
import type { MessageStream } from "../../src/contract/message-stream.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { DriverDataStore } from "../../src/store/driver-data-store.ts";
import type { OpenCommit } from "./recorder.ts";
import type { Owner } from "./scheduler.ts";

export type Store = DriverDataStore<GloballyOrderedMessageStore>;

export type Message = Envelope<{ readonly token: string }>;
export type Follower = MessageStream<Message>;

const SETTLE_TIMEOUT_MS = 150;

/** One life of a process: from its start to its crash or its close. */
export class SimulatedProcess implements Owner {
  readonly name: string;
  alive = true;
  pausedUntil = 0;
  /** Told to stop: its clients call nothing more. */
  stopping = false;
  /** Its clients have nothing more to do. */
  idle = false;
  store: Store | undefined;
  log: CommitLog | undefined;
  /** What its crash leaves without an answer. */
  readonly inFlight = new Set<OpenCommit>();
  /** Where it believes streams and states to stand. */
  readonly nextOffsets = new Map<string, number>();
  readonly revisions = new Map<string, number>();
  /** Its reader of the whole store, or that one of its clients is about it. */
  follower: { readonly cursor: Follower; readonly next: number } | "busy" | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

export async function openStore(log: CommitLog, settleTimeoutMs = SETTLE_TIMEOUT_MS): Promise<Store> {
  const driver = await openLogDriver(log);
  return new DriverDataStore(driver, { settleTimeoutMs, noticeMs: 5 });
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof DriverFailure && error.kind === "unavailable";
}

/** Damage that was found out. */
export function isCorruption(error: unknown): boolean {
  return error instanceof CorruptionError || (error instanceof DriverFailure && error.kind === "corruption");
}

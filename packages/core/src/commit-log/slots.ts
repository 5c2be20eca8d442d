import type { Archive } from "./commit-log.ts";

/**
 * A store that can create a name only if it is absent, seen as numbered slots: all that {@link slotLog} needs.
 *
 * `create` is linearizable: of any number that race for one slot exactly one is told "created", once, and every read
 * called after that sees the block. A slot never becomes free again.
 *
 * Reads reject with whatever they meet: a `DriverFailure` is passed on as it is, anything else is taken for one of kind
 * "unavailable".
 */
export interface Slots {
  readonly storeId: string;
  readonly durable: boolean;
  readonly noticeMs: number;
  readonly maxGroupBytes: number;
  readonly mergeAfter: { readonly blocks: number; readonly bytes: number };

  /**
   * Creates slot `slot` (0, 1, ...) with `bytes`, durable when it resolves. "taken": there was something, perhaps by an
   * earlier try whose reply was lost.
   *
   * Any rejection means that the slot may or may not have been created, or may be later: the same bytes are then created
   * again. Only a `DriverFailure` says more: that this call created nothing and never will (disk full, no permission), or,
   * where it is of kind "reopen", that a sync to disk failed and nothing may be written any more. A request that hangs
   * must reject some time.
   */
  create(slot: number, bytes: Uint8Array): Promise<"created" | "taken">;
  /** The bytes of a slot; undefined while it is free. Only what would survive a power cut. */
  read(slot: number): Promise<Uint8Array | undefined>;
  /** Part of a slot's bytes: fewer, or none, where the slot ends sooner. Optional: without it slots are read whole. */
  readPart?(slot: number, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Replaces the bytes of a merged slot by the few of a stub. Optional: without it merged slots stay as they are. */
  replace?(slot: number, stub: Uint8Array): Promise<void>;

  readonly archive?: Archive;
  watch?(wake: () => void): () => void;
  close(): Promise<void>;
}

import type { Envelope, RecordedEnvelope } from "./envelope.ts";
import type { ReadOptions } from "./options.ts";

/**
 * A cursor. It starts before its first message; `next` and `tryNext` move it, `get` and `offset` tell where it is.
 *
 * Iterating it follows the stream from behind the current message: it waits for new messages until it is closed or
 * aborted. All iterators are this one cursor, and leaving the loop closes it. A loop over a cursor that is closed
 * elsewhere rejects with HOLDFAST_CLOSED.
 *
 * One `next` or `tryNext` at a time: a second rejects with HOLDFAST_BUSY. A cursor holds at most 16 MiB beyond the
 * current message, however far behind it is.
 */
export interface MessageStream<E extends Envelope = Envelope>
  extends AsyncIterable<RecordedEnvelope<E>>,
    AsyncDisposable {
  /**
   * Waits until a message is there, and advances by one. Aborting it rejects with the signal's reason, loses no
   * message and leaves the cursor usable. Rejects with CorruptionError, without advancing, where the stored bytes are
   * damaged.
   */
  next(options?: ReadOptions): Promise<void>;

  /** Advances by one and gives true; at the end gives false and stays where it was. Never waits for a message. */
  tryNext(options?: ReadOptions): Promise<boolean>;

  /** The current message, the reader's own copy. Throws HOLDFAST_NO_MESSAGE before the first. */
  get(): RecordedEnvelope<E>;

  /** The current message's offset: global for `openGlobal`, the stream's own otherwise. Throws HOLDFAST_NO_MESSAGE before the first message. */
  offset(): number;

  /** Closes the cursor and rejects a pending `next`; calling it again is the same. After it every call is HOLDFAST_CLOSED. */
  close(): Promise<void>;
}

/**
 * A message: what happened, and where it comes from. Kept as written, field by field; properties that are not named
 * here are left out, so that a RecordedEnvelope can be appended again.
 *
 * `data` and the rest of the envelope together are at most 4 MiB, counted as the UTF-8 length of their JSON (of a
 * Uint8Array: its byteLength).
 */
export interface Envelope<D = unknown, T extends string = string> {
  /** Unique to the message; the store does not check that. 1 to 512 bytes in UTF-8. */
  readonly id: string;
  /** The application's name for the kind of message, e.g. "OrderPlaced". 1 to 512 bytes in UTF-8. */
  readonly type: T;
  /** A JSON value, or a Uint8Array. */
  readonly data: D;
  /** RFC 3339, UTC ("...Z"), the producer's clock; never used for ordering. */
  readonly createdAt: string;
  /** The id of the message that caused this one. */
  readonly causationId?: string | undefined;
  /** Shared by all the messages of one conversation. */
  readonly correlationId?: string | undefined;
  /** RFC 3339, UTC; carried for the application, never acted on by the store. */
  readonly sendAt?: string | undefined;
  /** E.g. traceparent. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A message that is in a store, with its place there. */
export type RecordedEnvelope<E extends Envelope = Envelope> = E & {
  readonly stream: string;
  /** In its own stream, dense from 0. */
  readonly offset: number;
  /** In the whole store, dense from 0; undefined where the store keeps no global order. */
  readonly globalOffset: number | undefined;
};

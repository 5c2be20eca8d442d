import type { Envelope } from "./envelope.ts";
import type { MessageStream } from "./message-stream.ts";
import type { ReadOptions, WriteOptions } from "./options.ts";

/**
 * Streams of messages, each dense from offset 0, appended to at the next unused offset and never changed.
 *
 * A stream exists from its first message on. Its name is any well-formed Unicode string of 1 to 512 bytes in UTF-8;
 * two different names never meet.
 */
export interface MessageStore {
  /**
   * Appends one or more messages, contiguous and in order, all or none; `offset` must be the next unused zero-based
   * offset of the stream, and offset 0 creates it. Once it resolves, the messages are durable and every later read, by
   * any process, sees them. Of racing writers exactly one wins an offset.
   *
   * Rejects with OffsetConflictError for any other offset, taken or beyond the end; InvalidArgumentError for an empty
   * batch, a bad name, envelope or size, or the `commitId` of other content; UnavailableError when nothing was
   * written; OutcomeUnknownError when the reply was lost and could not be settled in time.
   *
   * The caller may change or reuse its arrays and objects after the call. At most 4 MiB a message, 8 MiB and 10,000
   * messages a call.
   */
  appendMessages(stream: string, offset: number, envelopes: readonly Envelope[], options?: WriteOptions): Promise<void>;

  /**
   * A cursor whose first message is the one at `offset`, which may lie beyond the end: then it waits until the stream
   * has grown to it. undefined where the stream does not exist. Creates nothing.
   *
   * The signal lasts for the cursor's life: its abort closes the cursor, and rejects what is pending and what is
   * called later with its reason.
   */
  openStream<E extends Envelope = Envelope>(
    stream: string,
    offset: number,
    options?: ReadOptions,
  ): Promise<MessageStream<E> | undefined>;

  /** As {@link MessageStore.openStream}, but a stream that does not exist yet is empty, and awaited. */
  followStream<E extends Envelope = Envelope>(
    stream: string,
    offset: number,
    options?: ReadOptions,
  ): Promise<MessageStream<E>>;

  /** The next unused offset: 0 where the stream does not exist. */
  nextOffset(stream: string, options?: ReadOptions): Promise<number>;

  /**
   * Every stream that existed when the listing started, in no promised order, each once; streams made meanwhile may or
   * may not be given. Each `nextOffset` was true at one moment of the listing. Bad arguments reject its first step.
   */
  listStreams(
    options?: ReadOptions & { readonly prefix?: string | undefined },
  ): AsyncIterable<{ readonly stream: string; readonly nextOffset: number }>;
}

/**
 * A message store that is also one stream: every message has a global offset, dense from 0 over the whole store.
 *
 * Each stream's messages keep their order, those of one commit are contiguous, and an append that was acknowledged
 * before another was called comes first. Once any reader was given global offset n, no message ever appears at or
 * before n that it was not given.
 */
export interface GloballyOrderedMessageStore extends MessageStore {
  /** A cursor over the whole store. `offset` is a global offset and may lie beyond the end. The signal lasts for the cursor's life. */
  openGlobal<E extends Envelope = Envelope>(offset: number, options?: ReadOptions): Promise<MessageStream<E>>;

  /** The next unused global offset: the number of messages in the store. */
  nextGlobalOffset(options?: ReadOptions): Promise<number>;
}

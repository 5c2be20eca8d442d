/** Options of every call that reads. */
export interface ReadOptions {
  /** Its abort rejects the call with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of every call that writes. */
export interface WriteOptions {
  /** Counts until the write is sent: then its abort changes nothing, and the call goes on to its true outcome. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Makes the write safe to repeat: the same id with the same content at the same place is applied once and
   * acknowledged again. 1 to 512 bytes in UTF-8; random where absent. For states it is remembered while at most 8
   * later revisions lie over the write.
   */
  readonly commitId?: string | undefined;
}

/** Options of every backend's `open`. */
export interface OpenOptions {
  /** How long a write whose reply was lost, or that keeps losing races, is settled before the call gives up; 10,000 unless given. */
  readonly settleTimeoutMs?: number | undefined;
  /** Asks for a bound on how soon another process's write is noticed, at the median; becomes `capabilities.noticeMs`. */
  readonly noticeMs?: number | undefined;
}

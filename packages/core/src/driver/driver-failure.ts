/** Why a driver's read or open failed. Core makes the public error of it. */
export type FailureKind =
  /** Not reachable, busy too long, read-only, no permission, disk full: UnavailableError. */
  | "unavailable"
  /** The stored bytes are damaged: CorruptionError. */
  | "corruption"
  /** The read would need more than was durable before a sync failed: HOLDFAST_REOPEN. */
  | "reopen"
  /** The backend cannot keep the promises, or the store is of a newer format: UnsupportedError. */
  | "unsupported"
  /** An option of `open` is wrong: InvalidArgumentError. */
  | "argument";

/** The one error a driver throws. The message says what to do and holds no payload, credential or connection string. */
export class DriverFailure extends Error {
  override readonly name = "DriverFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

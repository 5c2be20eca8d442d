import {
  CorruptionError,
  HoldfastError,
  InvalidArgumentError,
  InvalidStateError,
  UnavailableError,
  UnsupportedError,
} from "../contract/errors.ts";
import { DriverFailure } from "../driver/driver-failure.ts";

/** Makes the public error of whatever a driver threw. */
export function publicError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  if (!(thrown instanceof DriverFailure)) {
    return new UnavailableError("the backend failed: see the cause, mend it, and try again", { cause: scrub(thrown) });
  }
  const details = { cause: scrub(thrown.cause) };
  switch (thrown.kind) {
    case "unavailable":
      return new UnavailableError(thrown.message, details);
    case "corruption":
      return new CorruptionError(thrown.message, details);
    case "unsupported":
      return new UnsupportedError(thrown.message, details);
    case "argument":
      return new InvalidArgumentError(thrown.message, details);
    case "reopen":
      return reopenError(details.cause);
  }
}

export function reopenError(cause?: unknown): InvalidStateError {
  return new InvalidStateError("a sync to disk failed: close this store and open it again", {
    code: "HOLDFAST_REOPEN",
    cause,
  });
}

/** A cause reduced to what can't hold a payload or a secret: name, code, and a message without its quoted parts and addresses. */
export class ScrubbedCause extends Error {
  override readonly name: string;
  readonly code: string | number | undefined;

  constructor(name: string, code: string | number | undefined, message: string) {
    super(message);
    this.name = name;
    this.code = code;
    // The stack of where it was scrubbed tells nothing, and that of the original may hold its message.
    this.stack = `${name}: ${message}`;
  }
}

const MAX_MESSAGE_LENGTH = 200;

export function scrub(cause: unknown): ScrubbedCause | undefined {
  if (cause === undefined) return undefined;
  if (cause instanceof ScrubbedCause) return cause;
  if (!(cause instanceof Error))
    return new ScrubbedCause("Error", undefined, `something of type ${typeof cause} was thrown`);
  const { code } = cause as { code?: unknown };
  const message = cause.message
    .split("\n", 1)[0]
    ?.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "<address>")
    .replace(/"[^"]*"?|'[^']*'?|`[^`]*`?|\{.*|\[.*/g, "<…>")
    .slice(0, MAX_MESSAGE_LENGTH);
  return new ScrubbedCause(
    cause.name,
    typeof code === "string" || typeof code === "number" ? code : undefined,
    message ?? "",
  );
}

import { InvalidArgumentError, InvalidStateError } from "../contract/errors.ts";

/** The argument law, said once: every check of the contract's names, numbers, dates and options. */

export const MAX_NAME_BYTES = 512;
/** A name of so many UTF-16 units can't be over the limit in UTF-8: most names need no counting. */
const SURELY_SHORT = Math.floor(MAX_NAME_BYTES / 3);
/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A stream, persistence id, projection, tag, commit id, or an envelope's id or type. */
export function checkName(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") throw new InvalidArgumentError(`${what} must be a string, not ${kindOf(value)}`);
  if (value === "") throw new InvalidArgumentError(`${what} must not be empty`);
  if (!value.isWellFormed())
    throw new InvalidArgumentError(`${what} must be well-formed Unicode: it has a lone surrogate`);
  if (value.length > SURELY_SHORT && Buffer.byteLength(value) > MAX_NAME_BYTES) {
    throw new InvalidArgumentError(
      `${what} must be at most ${MAX_NAME_BYTES} bytes in UTF-8, not ${Buffer.byteLength(value)}`,
    );
  }
}

/** A string that names nothing: correlation ids, metadata, prefixes. */
export function checkText(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") throw new InvalidArgumentError(`${what} must be a string, not ${kindOf(value)}`);
  if (!value.isWellFormed())
    throw new InvalidArgumentError(`${what} must be well-formed Unicode: it has a lone surrogate`);
}

/** An offset, a revision or a sequence number. */
export function checkOffset(value: unknown, what: string): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new InvalidArgumentError(
      `${what} must be a safe integer >= 0, not ${typeof value === "number" ? value : kindOf(value)}`,
    );
  }
}

const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;
/** Messages made together share their second: the last good one is remembered. */
let lastGoodSecond = "";

/** `YYYY-MM-DDTHH:MM:SS`, an optional fraction and `Z`, of a real moment. */
export function checkDate(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") throw new InvalidArgumentError(`${what} must be a string, not ${kindOf(value)}`);
  if (DATE.test(value)) {
    const second = value.slice(0, 19);
    if (second === lastGoodSecond) return;
    const moment = new Date(`${second}Z`);
    // A date that does not exist either fails to parse or rolls over into another one.
    if (!Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(second)) {
      lastGoodSecond = second;
      return;
    }
  }
  throw new InvalidArgumentError(`${what} must be a real moment as YYYY-MM-DDTHH:MM:SS[.fraction]Z`);
}

/** Options of a call: an object with, at the most, a signal in it that this reads. */
export function checkSignal(options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) {
    throw new InvalidArgumentError(`options must be an object, not ${kindOf(options)}`);
  }
  const { signal } = options as { signal?: unknown };
  if (signal === undefined) return undefined;
  // Signals of another realm or a polyfill count: what is used is what is asked for.
  const like = signal as Partial<AbortSignal> | null;
  if (typeof like !== "object" || typeof like?.aborted !== "boolean" || typeof like.addEventListener !== "function") {
    throw new InvalidArgumentError(`options.signal must be an AbortSignal, not ${kindOf(signal)}`);
  }
  return signal as AbortSignal;
}

export function checkCommitId(options: unknown): string | undefined {
  const commitId = (options as { commitId?: unknown } | undefined)?.commitId;
  if (commitId === undefined) return undefined;
  checkName(commitId, "options.commitId");
  return commitId;
}

export function checkPrefix(options: unknown): string {
  const prefix = (options as { prefix?: unknown } | undefined)?.prefix;
  if (prefix === undefined) return "";
  checkText(prefix, "options.prefix");
  return prefix;
}

export function checkDuration(value: unknown, what: string, fallbackMs: number): number {
  if (value === undefined) return fallbackMs;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 1 || value > MAX_TIMER_MS) {
    throw new InvalidArgumentError(`${what} must be a number of milliseconds from 1 to ${MAX_TIMER_MS}`);
  }
  return value;
}

export function closedError(what: "store" | "cursor"): InvalidStateError {
  return new InvalidStateError(`the ${what} is closed: open another`, { code: "HOLDFAST_CLOSED" });
}

/** What a value is, without showing it: it may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : typeof value;
}

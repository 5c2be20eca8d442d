import { inspect, isDeepStrictEqual } from "node:util";

/** A clause did not hold: `wanted` is what the contract says, `got` what the backend did. */
export class ClauseViolation extends Error {
  override readonly name = "ClauseViolation";
  readonly wanted: string;
  readonly got: string;

  constructor(what: string, wanted: unknown, got: unknown) {
    const show = (value: unknown) =>
      typeof value === "string" ? value : inspect(value, { depth: 6, breakLength: 120 });
    super(`${what}\n  wanted: ${show(wanted)}\n  got:    ${show(got)}`);
    this.wanted = show(wanted);
    this.got = show(got);
  }
}

/** `got` is deeply and strictly equal to `wanted`. */
export function equal(got: unknown, wanted: unknown, what: string): void {
  if (!isDeepStrictEqual(got, wanted)) throw new ClauseViolation(what, wanted, got);
}

export function isTrue(condition: boolean, what: string, got: unknown = condition): asserts condition {
  if (!condition) throw new ClauseViolation(what, true, got);
}

/** The call rejects with an error that has these fields (`code`, `nextOffset`, ...); gives the error. May be awaited later. */
export function rejects(call: Promise<unknown>, wanted: Record<string, unknown>, what: string): Promise<Error> {
  const judged = judgeRejection(call, wanted, what);
  // A check that fails elsewhere never comes to await it: that is no unhandled rejection.
  judged.catch(() => {});
  return judged;
}

async function judgeRejection(call: Promise<unknown>, wanted: Record<string, unknown>, what: string): Promise<Error> {
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    return hasFields(error, wanted, what);
  }
  throw new ClauseViolation(what, `rejection with ${inspect(wanted)}`, `it resolved with ${inspect(value)}`);
}

/** As {@link rejects}, for a function that throws at once. */
export function throws(call: () => unknown, wanted: Record<string, unknown>, what: string): Error {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    return hasFields(error, wanted, what);
  }
  throw new ClauseViolation(what, `an error with ${inspect(wanted)}`, `it returned ${inspect(value)}`);
}

/** The promise settles within `ms` milliseconds; gives its value. May be awaited later. */
export function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const judged = judgeTime(ms, promise, what);
  judged.catch(() => {});
  return judged;
}

async function judgeTime<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ClauseViolation(what, `within ${ms} ms`, "still pending")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the promise is still pending after `ms` milliseconds. */
export async function staysPending(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const pending = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  try {
    return await Promise.race([
      promise.then(
        () => false,
        () => false,
      ),
      pending,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function hasFields(error: unknown, wanted: Record<string, unknown>, what: string): Error {
  if (!(error instanceof Error)) throw new ClauseViolation(what, `an Error with ${inspect(wanted)}`, error);
  for (const [field, value] of Object.entries(wanted)) {
    const got = (error as unknown as Record<string, unknown>)[field];
    if (!isDeepStrictEqual(got, value)) {
      throw new ClauseViolation(
        what,
        `${field} = ${inspect(value)}`,
        `${field} = ${inspect(got)} in ${error.name}: ${error.message}`,
      );
    }
  }
  return error;
}

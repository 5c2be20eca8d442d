import { InvalidArgumentError } from "../contract/errors.ts";
import { kindOf } from "./guard.ts";

const MAX_DEPTH = 256;

/** Why a value is not JSON, and where: the path is put together on the way out, so that good values pay nothing for it. */
interface Problem {
  readonly reason: string;
  readonly path: (string | number)[];
}

/** How much of a value may still come: a lower bound of its JSON's bytes, so that no huge or shared structure is walked to its end. */
interface Budget {
  bytes: number;
}

/**
 * Encodes a JSON value, exactly: what would not come back as it is refused with its path, before anything is sent.
 * Object properties that are undefined are left out, and -0 becomes 0, as JSON does.
 */
export function encodeJson(value: unknown, what: string, maxBytes: number): string {
  const problem = examine(value, 0, { bytes: maxBytes });
  if (problem) throw new InvalidArgumentError(`${what}${showPath(problem.path)} ${problem.reason}`);
  return JSON.stringify(value);
}

function examine(value: unknown, depth: number, budget: Budget): Problem | undefined {
  budget.bytes -= 1;
  if (budget.bytes < 0) return { reason: "is larger than the limit", path: [] };
  switch (typeof value) {
    case "string":
      budget.bytes -= value.length;
      return undefined;
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { reason: `is ${value}, which JSON cannot hold`, path: [] };
    case "object":
      if (value === null) return undefined;
      if (depth === MAX_DEPTH) return { reason: `is nested more than ${MAX_DEPTH} deep, or in itself`, path: [] };
      return Array.isArray(value) ? examineArray(value, depth, budget) : examineObject(value, depth, budget);
    default:
      return { reason: `is of type ${typeof value}, which JSON cannot hold`, path: [] };
  }
}

function examineArray(array: unknown[], depth: number, budget: Budget): Problem | undefined {
  // Array.prototype is itself an array, in every realm; the prototype of a subclass is not.
  if (!Array.isArray(Object.getPrototypeOf(array))) return { reason: "is an array of a class of its own", path: [] };
  for (let index = 0; index < array.length; index++) {
    const descriptor = Reflect.getOwnPropertyDescriptor(array, index);
    if (descriptor === undefined) return { reason: "is a hole in an array", path: [index] };
    if (!("value" in descriptor)) return { reason: "is an accessor", path: [index] };
    const problem = examine(descriptor.value, depth + 1, budget);
    if (problem) return within(index, problem);
  }
  // Its own names are the indexes and `length`: anything more would be lost.
  if (Object.getOwnPropertyNames(array).length === array.length + 1) return examineSymbols(array);
  const extra = Object.getOwnPropertyNames(array).find((key, index) => key !== "length" && key !== String(index));
  return { reason: "is a property of an array, which JSON cannot hold", path: [String(extra)] };
}

function examineObject(object: object, depth: number, budget: Budget): Problem | undefined {
  if (!isPlain(object)) return { reason: "is an object of a class, which JSON cannot hold", path: [] };
  // Names and symbols apart: together they cost several times as much.
  for (const key of Object.getOwnPropertyNames(object)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
    if (descriptor === undefined || !("value" in descriptor)) return { reason: "is an accessor", path: [key] };
    if (descriptor.value === undefined) continue;
    if (!descriptor.enumerable) return { reason: "is not enumerable, which JSON cannot hold", path: [key] };
    budget.bytes -= key.length;
    const problem = examine(descriptor.value, depth + 1, budget);
    if (problem) return within(key, problem);
  }
  return examineSymbols(object);
}

function examineSymbols(object: object): Problem | undefined {
  const [symbol] = Object.getOwnPropertySymbols(object);
  return symbol === undefined
    ? undefined
    : { reason: "is a symbol key, which JSON cannot hold", path: [String(symbol)] };
}

/** Its prototype is null or an Object.prototype, of this realm or another. */
export function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    typeof prototype === "object" &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "isPrototypeOf")
  );
}

function within(key: string | number, problem: Problem): Problem {
  problem.path.unshift(key);
  return problem;
}

const SHOWN_KEYS = 12;

/** `.a[0]["b c"]`: keys are names, not payloads, but long ones and deep paths are cut. */
function showPath(path: readonly (string | number)[]): string {
  const shown = path.slice(0, SHOWN_KEYS).map((key) => {
    if (typeof key === "number") return `[${key}]`;
    if (/^[A-Za-z_$][\w$]*$/.test(key) && key.length <= 64) return `.${key}`;
    return `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
  });
  return shown.join("") + (path.length > SHOWN_KEYS ? "…" : "");
}

/** For where an object is asked for, and something else came. */
export function checkObject(value: unknown, what: string): asserts value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`${what} must be an object, not ${kindOf(value)}`);
  }
}

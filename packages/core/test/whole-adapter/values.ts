import type { Envelope } from "../../src/contract/envelope.ts";
import { InvalidArgumentError } from "../../src/contract/errors.ts";
import type { WriteOptions } from "../../src/contract/options.ts";

/** What is kept of a value: its JSON, or bytes. */
export type Kept = string | Uint8Array;

const valueBytesMax = 4 * 1024 * 1024;
const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/u;

function refuse(message: string): never {
  throw new InvalidArgumentError(message);
}

export function checkText(value: unknown, what: string): string {
  if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) refuse(`${what} must be a well-formed string`);
  return value;
}

export function checkName(value: unknown, what: string): string {
  const bytes = Buffer.byteLength(checkText(value, what));
  if (bytes < 1 || bytes > 512) refuse(`${what} must be 1 to 512 bytes long`);
  return value as string;
}

export function checkCount(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) refuse(`${what} must be a safe integer >= 0`);
  return value as number;
}

/** Checks the options of any call, then whether it was aborted: in the contract's order. */
export function checkOptions(options: (WriteOptions & { readonly prefix?: string | undefined }) | undefined): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) refuse("options must be an object");
  const { signal, commitId, prefix } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse("signal must be an AbortSignal");
  if (commitId !== undefined) checkName(commitId, "commitId");
  if (prefix !== undefined) checkText(prefix, "prefix");
  signal?.throwIfAborted();
}

export function keptSize(kept: Kept): number {
  return typeof kept === "string" ? Buffer.byteLength(kept) : kept.byteLength;
}

export function give(kept: Kept): unknown {
  return typeof kept === "string" ? JSON.parse(kept) : new Uint8Array(kept);
}

export function keepState(state: unknown): string {
  const kept = JSON.stringify(jsonOf(state, "state", []));
  if (Buffer.byteLength(kept) > valueBytesMax) refuse("a state is at most 4 MiB");
  return kept;
}

/** The named properties of an envelope, and its data. */
export function keepEnvelope(envelope: Envelope, path: string): { readonly head: string; readonly data: Kept } {
  if (typeof envelope !== "object" || envelope === null) refuse(`${path} must be an envelope`);
  const { id, type, createdAt, causationId, correlationId, sendAt, metadata } = envelope;
  checkName(id, `${path}.id`);
  checkName(type, `${path}.type`);
  checkDate(createdAt, `${path}.createdAt`);
  if (causationId !== undefined) checkText(causationId, `${path}.causationId`);
  if (correlationId !== undefined) checkText(correlationId, `${path}.correlationId`);
  if (sendAt !== undefined) checkDate(sendAt, `${path}.sendAt`);
  const tags = metadata === undefined ? undefined : jsonOf(metadata, `${path}.metadata`, []);
  if (tags !== undefined) checkTags(tags, `${path}.metadata`);
  const head = JSON.stringify({ id, type, createdAt, causationId, correlationId, sendAt, metadata: tags });
  const data =
    envelope.data instanceof Uint8Array
      ? new Uint8Array(envelope.data)
      : JSON.stringify(jsonOf(envelope.data, `${path}.data`, []));
  if (keptSize(head) + keptSize(data) > valueBytesMax) refuse(`${path} is over 4 MiB`);
  return { head, data };
}

function checkTags(tags: unknown, path: string): void {
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) refuse(`${path} must be a record`);
  for (const [key, value] of Object.entries(tags)) {
    checkText(key, `a key of ${path}`);
    checkText(value, `${path}.${key}`);
  }
}

function checkDate(value: unknown, what: string): void {
  if (typeof value !== "string" || !date.test(value)) refuse(`${what} must be an RFC 3339 date in UTC`);
  const second = value.slice(0, 19);
  const moment = new Date(`${second}Z`);
  if (Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 19) !== second)
    refuse(`${what} is no real moment`);
}

/** A copy of the value, as JSON holds it; refuses what JSON cannot hold. `above` are the objects around it. */
function jsonOf(value: unknown, path: string, above: readonly object[]): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : refuse(`${path} is not a finite number`);
  if (typeof value !== "object") return refuse(`${path} is ${typeof value}`);
  if (above.includes(value)) return refuse(`${path} is a cycle`);
  if (above.length === 256) return refuse(`${path} is nested more than 256 deep`);
  const inside = [...above, value];
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) =>
      Object.hasOwn(value, index) ? jsonOf(item, `${path}[${index}]`, inside) : refuse(`${path} has a hole`),
    );
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return refuse(`${path} is no plain object`);
  if (prototype !== null && !Object.hasOwn(prototype, "hasOwnProperty")) return refuse(`${path} is no plain object`);
  const copy = {};
  for (const key of Reflect.ownKeys(value)) {
    const { value: item, get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    if (typeof key === "symbol" || get !== undefined || set !== undefined)
      return refuse(`${path} has a symbol or accessor`);
    if (item === undefined || !Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    const json = jsonOf(item, `${path}.${key}`, inside);
    Object.defineProperty(copy, key, { value: json, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

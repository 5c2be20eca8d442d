import { crc32 } from "node:zlib";

/**
 * The lines of the file driver's file. Each is `<length><length><crc32><json>`, the first three of eight hex digits.
 * The length stands there twice so that a line cut short by a killed writer, which is dead, differs from damage.
 */
const HEAD = 24;

const hex = (value: number) => value.toString(16).padStart(8, "0");

export function writeLine(value: unknown): string {
  const body = JSON.stringify(value);
  const length = hex(Buffer.byteLength(body));
  return `${length}${length}${hex(crc32(body))}${body}\n`;
}

export type Line =
  | { readonly kind: "whole"; readonly value: unknown }
  | { readonly kind: "torn" }
  | { readonly kind: "damaged" };

/** `bytes` is one line without its newline. */
export function readLine(bytes: Buffer): Line {
  const head = bytes.toString("latin1", 0, HEAD);
  if (bytes.length < HEAD) return /^[0-9a-f]*$/.test(head) ? { kind: "torn" } : { kind: "damaged" };
  const length = head.slice(0, 8);
  if (!/^[0-9a-f]{24}$/.test(head) || head.slice(8, 16) !== length) return { kind: "damaged" };
  const missing = Number.parseInt(length, 16) - (bytes.length - HEAD);
  if (missing > 0) return { kind: "torn" };
  const body = bytes.subarray(HEAD);
  if (missing < 0 || hex(crc32(body)) !== head.slice(16)) return { kind: "damaged" };
  return { kind: "whole", value: JSON.parse(body.toString()) };
}

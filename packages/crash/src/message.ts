import { crc32 } from "node:zlib";

/** A token and as much filler as it asks for: what messages and states are made of here. */
export interface Marked {
  readonly token: string;
  readonly filler: string;
}

const TEXT = 'The quick brown fox jumps over the lazy dog, and "quotes" it.\n';

/** The token carries the filler's checksum, so that one altered character makes another token. */
export function marked(name: string, length: number): Marked {
  const filler = `${name} ${TEXT.repeat(Math.ceil(length / TEXT.length))}`.slice(0, length);
  return { token: `${name}#${crc32(filler).toString(16)}`, filler };
}

/** The token of what was read; another one where it is not as it was written. */
export function tokenOf(data: unknown): string {
  const { token, filler } = (data ?? {}) as Partial<Marked>;
  if (typeof token !== "string" || typeof filler !== "string") return `not ours: ${JSON.stringify(data)?.slice(0, 40)}`;
  return token.endsWith(`#${crc32(filler).toString(16)}`) ? token : `altered: ${token}`;
}

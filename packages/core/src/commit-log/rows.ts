import { asBuffer } from "./block.ts";

const LINE_FEED = 10;

/**
 * A table of a checkpoint: lines of JSON, `[name,number,...]`, sorted by their bytes. They are kept as they were read,
 * found by halving, and parsed when they are asked for: a million of them as objects would be too many.
 */
export class Rows {
  readonly #bytes: Buffer;
  /** Where each line begins, and where the last one ends. */
  readonly #starts: Uint32Array;

  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.#bytes = asBuffer(bytes);
    this.#starts = starts;
  }

  /** The `count` lines of `bytes` from `from` on. */
  static of(bytes: Buffer, from: number, count: number): Rows {
    const starts = new Uint32Array(count + 1);
    let at = from;
    for (let index = 0; index < count; index++) {
      starts[index] = at;
      at = bytes.indexOf(LINE_FEED, at) + 1;
    }
    starts[count] = at;
    return new Rows(bytes, starts);
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  /** Behind the last line. */
  get end(): number {
    return this.#starts[this.length] ?? 0;
  }

  /** The row of a name, or where it would be. */
  search(name: string): { readonly index: number; readonly found: boolean } {
    const key = keyOf(name);
    const index = this.#firstFrom(key);
    return { index, found: index < this.length && this.#compare(index, key) === 0 };
  }

  parse(index: number): readonly (string | number)[] {
    return JSON.parse(this.#bytes.toString("utf8", this.#starts[index], this.#starts[index + 1])) as (
      | string
      | number
    )[];
  }

  find(name: string): readonly (string | number)[] | undefined {
    const { index, found } = this.search(name);
    return found ? this.parse(index) : undefined;
  }

  /** The first numbers of a row. A row may be long: these are read without the rest. */
  numbers(name: string, count: number): readonly number[] | undefined {
    const key = keyOf(name);
    const index = this.#firstFrom(key);
    if (index === this.length || this.#compare(index, key) !== 0) return undefined;
    const begin = (this.#starts[index] ?? 0) + 1 + key.length + 1;
    const text = this.#bytes.toString("latin1", begin, Math.min(begin + 17 * count, this.#starts[index + 1] ?? 0));
    return text.split(/[,\]]/, count).map(Number);
  }

  /** The first row of those whose names begin with `prefix`, or would, and the one behind the last. */
  range(prefix: string): { readonly from: number; readonly to: number } {
    const key = keyOf(prefix).subarray(0, -1);
    // No byte of UTF-8 is 0xff.
    return { from: this.#firstFrom(key), to: this.#firstFrom(Buffer.concat([key, Buffer.of(0xff)])) };
  }

  /** The bytes of the lines from `from` on, up to `to`. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(this.#starts[from], this.#starts[to]);
  }

  /** The first row that is not in front of `key`. */
  #firstFrom(key: Buffer): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a row's name, as JSON, stands to as many bytes of `key`. */
  #compare(index: number, key: Buffer): number {
    const begin = (this.#starts[index] ?? 0) + 1;
    const end = Math.min(begin + key.length, this.#starts[index + 1] ?? 0);
    return this.#bytes.compare(key, 0, key.length, begin, end);
  }
}

/** Names are sorted by the bytes of their JSON, which is what stands in a row. */
export function sortedByName<T>(entries: Iterable<readonly [string, T]>): readonly (readonly [string, T])[] {
  const keyed = Array.from(entries, (entry) => ({ entry, key: keyOf(entry[0]) }));
  return keyed.sort((one, other) => one.key.compare(other.key)).map(({ entry }) => entry);
}

/** Names in that order, those behind `after`. */
export function sortedNames(names: readonly string[], after: string | undefined): readonly string[] {
  const from = after === undefined ? undefined : keyOf(after);
  const sorted = sortedByName(names.map((name) => [name, keyOf(name)] as const));
  return sorted.filter(([, key]) => from === undefined || key.compare(from) > 0).map(([name]) => name);
}

function keyOf(name: string): Buffer {
  return Buffer.from(JSON.stringify(name));
}

import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Position, seal, type Witness } from "@holdfast/core/log";
import { damaged } from "./failure.ts";
import { openFile } from "./files.ts";
import { SEAL_BYTES, wholeAt } from "./framing.ts";
import { MARK_FILE } from "./layout.ts";
import { readAt } from "./scan.ts";

/** What the mark says: the newest block known to be durable, and up to where the log was. */
export interface Mark {
  readonly witness: Witness;
  readonly durable: Position;
}

const MARK_BYTES = 96;
const PAUSE_MS = 10;

/**
 * One line that says how far the log was known to be durable. It is written over as the log grows, at the end by `close`,
 * and never synced: it may be old, and where it is damaged it is as if there were none. But what it tells of must be there.
 */
export class MarkFile {
  /** As it was opened; undefined: nothing is known. */
  readonly found: Mark | undefined;
  readonly #fd: number;
  #newest: Mark | undefined;
  #nextAt = 0;

  constructor(root: string) {
    const fd = openFile(join(root, MARK_FILE), "write");
    if (fd === undefined) throw damaged("the mark is missing");
    this.#fd = fd;
    this.found = decodeMark(readAt(fd, 0, MARK_BYTES));
  }

  /** Writes it down, unless the last one was but a moment ago. */
  note(mark: Mark): void {
    this.#newest = mark;
    const now = performance.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + PAUSE_MS;
    this.#write(mark);
  }

  /** Leaves the newest mark of this process. */
  close(): void {
    if (this.#newest !== undefined) this.#write(this.#newest);
    closeSync(this.#fd);
  }

  /** Another process may have got further: what it wrote stays. */
  #write(mark: Mark): void {
    try {
      const other = decodeMark(readAt(this.#fd, 0, MARK_BYTES));
      if (other !== undefined && other.witness.position >= mark.witness.position) return;
      writeSync(this.#fd, encodeMark(mark), 0, MARK_BYTES, 0);
    } catch {
      // An old mark is a guard less, and no reason to refuse what is durable.
    }
  }
}

/** undefined: there is none, or it is damaged. */
function decodeMark(bytes: Buffer): Mark | undefined {
  const line = wholeAt(bytes);
  if (line === undefined) return undefined;
  const { mark } = JSON.parse(line.toString("latin1")) as { readonly mark: readonly [number, number, number] | 0 };
  return mark === 0 ? undefined : { witness: { position: mark[0], chain: mark[1] }, durable: mark[2] };
}

/** Always of the same length, so that a shorter one leaves nothing of a longer one behind. */
export function encodeMark(mark: Mark | undefined): Buffer {
  const numbers = mark === undefined ? "0" : `[${mark.witness.position},${mark.witness.chain},${mark.durable}]`;
  return seal(`"mark":${numbers}`.padEnd(MARK_BYTES - SEAL_BYTES - 2).concat("}\n"));
}

import { fstatSync } from "node:fs";
import { join } from "node:path";
import { damaged } from "./failure.ts";
import { Descriptors, type Publisher } from "./files.ts";
import { encodeLine } from "./framing.ts";
import { logFileName } from "./layout.ts";
import { checkFirstLine } from "./live-segment.ts";
import { firstLine, readAt, type Scan, scan } from "./scan.ts";

const MAX_DESCRIPTORS = 8;
/** So much of a file is looked through in one turn of the event loop. */
const TURN_BYTES = 1024 * 1024;
const NOTHING: Scan = { blocks: [], decided: 0, rolled: true, distrusted: undefined, full: false };

/** The files of the log behind which it went on in another: all that is in them is durable, and they are read only. */
export class ClosedSegments {
  readonly #folder: string;
  readonly #publisher: Publisher;
  readonly #descriptors = new Descriptors(MAX_DESCRIPTORS);

  constructor(folder: string, publisher: Publisher) {
    this.#folder = folder;
    this.#publisher = publisher;
  }

  scan(number: number, from: number, maxBytes: number): Scan | "merged" {
    const { fd, mergedEnd } = this.#open(number);
    if (mergedEnd !== undefined) return from >= mergedEnd ? NOTHING : "merged";
    const found = scan(fd, from, fstatSync(fd).size, maxBytes);
    if (!found.full && !found.rolled) throw damaged("a file of the log ends before its end");
    return found;
  }

  readAt(number: number, offset: number, length: number): Buffer | "merged" {
    const { fd, mergedEnd } = this.#open(number);
    return mergedEnd === undefined ? readAt(fd, offset, length) : "merged";
  }

  /** Replaces the files in front of `number` by stubs that keep their names. */
  async forget(number: number): Promise<void> {
    // The oldest first, so whatever lies in front of a stub is one too.
    let first = number;
    while (first > 1 && this.#open(first - 1).mergedEnd === undefined) first -= 1;
    for (let each = first; each < number; each++) {
      const end = await this.#lastBlockEnd(each);
      const path = this.#path(each);
      await this.#publisher.replace(path, [encodeLine({ log: "merged", number: each, end })]);
      this.#descriptors.drop(path);
    }
  }

  close(): void {
    this.#descriptors.close();
  }

  async #lastBlockEnd(number: number): Promise<number> {
    let end = 0;
    for (let from = 0; ; ) {
      const found = this.scan(number, from, TURN_BYTES);
      if (found === "merged") return end;
      end = found.blocks.at(-1)?.end ?? end;
      if (found.rolled) return end;
      from = found.decided;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** `mergedEnd`: the file is a stub, and its last block ended there. */
  #open(number: number): { readonly fd: number; readonly mergedEnd: number | undefined } {
    const fd = this.#descriptors.get(this.#path(number));
    if (fd === undefined) throw damaged("a file of the log is missing");
    const line = firstLine(fd)?.line;
    checkFirstLine(line, number);
    return { fd, mergedEnd: line?.log === "merged" ? line.end : undefined };
  }

  #path(number: number): string {
    return join(this.#folder, logFileName(number));
  }
}

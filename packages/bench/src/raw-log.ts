import { closeSync, fdatasync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { order } from "./workload.ts";

const sync = promisify(fdatasync);

/** The least durable work there is on a file: one write of a line, and one awaited fdatasync. */
export class RawLog {
  readonly #fd: number;

  constructor(folder: string) {
    this.#fd = openSync(join(folder, "raw.jsonl"), "a");
  }

  async appendEach(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      writeSync(this.#fd, `${JSON.stringify(order(index))}\n`);
      await sync(this.#fd);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

import { DriverFailure } from "../driver/driver-failure.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import type { Archive, Position } from "./commit-log.ts";
import { Moved } from "./moved.ts";
import { rebuildCheckpoint, reread } from "./rebuild.ts";
import type { View } from "./view.ts";

/** What became of a look at the checkpoint: the view moved on to it, it is the view's own, there is none, or it is damaged or older. */
export interface Reloaded {
  readonly kind: "moved" | "same" | "none" | "other";
  /** Of the checkpoint that was read. */
  readonly version: string | undefined;
}

/** Keeps a view on the newest checkpoint, when what it stands on is no longer there. */
export class CheckpointReader {
  readonly #archive: Archive | undefined;
  readonly #view: View;

  constructor(archive: Archive | undefined, view: View) {
    this.#archive = archive;
    this.#view = view;
  }

  /** For an open: the newest checkpoint. One that is lost or damaged is made again; who else does so makes the same. */
  async open(): Promise<void> {
    if (this.#archive === undefined) return;
    const { kind, version } = await this.reload();
    if (kind === "moved") return;
    const rebuilt = await rebuildCheckpoint(this.#archive);
    if (rebuilt === undefined) return;
    this.#view.adopt(reread(rebuilt));
    await this.#archive.replaceCheckpoint(version, rebuilt);
  }

  /** Reads the checkpoint, and takes it over where it is not the view's own. */
  async reload(): Promise<Reloaded> {
    const stored = await this.#archive?.readCheckpoint();
    if (stored === undefined) return { kind: "none", version: undefined };
    const { version } = stored;
    const checkpoint = decodeCheckpoint(stored.bytes);
    const known = this.#view.checkpoint;
    if (checkpoint === undefined || checkpoint.position < known.position) return { kind: "other", version };
    if (isSame(checkpoint, known)) return { kind: "same", version };
    this.#view.adopt(checkpoint);
    return { kind: "moved", version };
  }

  /** The log was merged away before it was read: a newer checkpoint holds what was there. */
  async jump(position: Position): Promise<void> {
    const { kind } = await this.reload();
    if (kind !== "moved" && this.#view.position === position) throw missing();
  }

  /** A read that is done again where what it stood on was merged away meanwhile. */
  async retried<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      const { checkpoint } = this.#view;
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof Moved)) throw error;
        if (this.#view.checkpoint === checkpoint) await this.reload();
        // Another read may have moved the view on meanwhile.
        if (this.#view.checkpoint === checkpoint) throw missing();
      }
    }
  }
}

function missing(): DriverFailure {
  return new DriverFailure("corruption", "merged data is missing from the store: restore the store from a copy");
}

function isSame(one: Checkpoint, other: Checkpoint): boolean {
  return one.position === other.position && one.segments.at(-1)?.name === other.segments.at(-1)?.name;
}

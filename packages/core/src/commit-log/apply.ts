import type { CommitHeader } from "./block.ts";

/** Where streams and states stand: what preconditions are judged by. */
export interface Heads {
  /** The stream's next unused offset. */
  nextOffset(stream: string): number;
  revision(persistenceId: string): number;
}

/** The first write whose precondition does not hold, and what is there instead. */
export interface Refusal {
  readonly write: number;
  readonly actual: number;
}

/**
 * The apply rule: a commit takes effect if each of its writes holds on top of the earlier ones (an append: its offset is
 * the stream's next unused one; a state write: its expected revision is the state's revision), else it has none.
 *
 * Every process decides each commit of the log by this rule, in the order of the log, and so all decide alike. It is part
 * of the stored format: another rule needs another block version.
 */
export function refusalOf(heads: Heads, commit: CommitHeader): Refusal | undefined {
  const staged = commit.length > 1 ? new StagedHeads(heads) : heads;
  for (const [index, write] of commit.entries()) {
    const actual = write[0] === "m" ? staged.nextOffset(write[1]) : staged.revision(write[1]);
    if (write[2] !== actual) return { write: index, actual };
    if (staged instanceof StagedHeads) staged.take([write]);
  }
  return undefined;
}

/** Heads as they will be once some commits took effect. */
export class StagedHeads implements Heads {
  readonly #heads: Heads;
  readonly #nextOffsets = new Map<string, number>();
  readonly #revisions = new Map<string, number>();

  constructor(heads: Heads) {
    this.#heads = heads;
  }

  nextOffset(stream: string): number {
    return this.#nextOffsets.get(stream) ?? this.#heads.nextOffset(stream);
  }

  revision(persistenceId: string): number {
    return this.#revisions.get(persistenceId) ?? this.#heads.revision(persistenceId);
  }

  take(commit: CommitHeader): void {
    for (const write of commit) {
      if (write[0] === "m") this.#nextOffsets.set(write[1], write[2] + write[3]);
      else this.#revisions.set(write[1], write[2] + 1);
    }
  }
}

import { type Heads, type Refusal, refusalOf, StagedHeads } from "./apply.ts";
import type { CommitHeader } from "./block.ts";

/** What will become of a commit, as far as heads tell. */
export interface Foreseen {
  readonly refusal: Refusal | undefined;
  /** The refusal rests on earlier members of the group, and is true only if they take effect. */
  readonly rests: boolean;
}

/** Foresees a group: each commit on top of the earlier ones. */
export function foresee(heads: Heads, headers: readonly CommitHeader[]): readonly Foreseen[] {
  const staged = headers.length === 1 ? undefined : new StagedHeads(heads);
  return headers.map((header) => {
    const refusal = refusalOf(staged ?? heads, header);
    if (refusal === undefined) {
      staged?.take(header);
      return { refusal, rests: false };
    }
    const alone = staged === undefined ? refusal : refusalOf(heads, header);
    return { refusal, rests: alone?.write !== refusal.write || alone.actual !== refusal.actual };
  });
}

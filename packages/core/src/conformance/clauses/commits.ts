import type { Clause } from "../clause.ts";
import { w1 } from "./commits-atomic.ts";
import { w4 } from "./commits-conflicts.ts";
import { w6, w12 } from "./commits-fate.ts";
import { w3 } from "./commits-repeats.ts";
import { w7, w8, w9, w11, w13 } from "./commits-transactions.ts";
import { w2 } from "./commits-work.ts";

/** W-5 and W-10, which need lost replies and kills, are in `lost-replies.ts`. */
export const commitClauses: readonly Clause[] = [w1, w2, w3, w4, w6, w7, w8, w9, w11, w12, w13];

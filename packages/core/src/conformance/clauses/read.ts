import type { Clause } from "../clause.ts";
import { abortClause, lifeSignalClause } from "./read-abort.ts";
import {
  aheadClause,
  closeClause,
  nextClause,
  noMessageClause,
  openClause,
  pendingClause,
  tryNextClause,
} from "./read-cursor.ts";
import { fidelityClause } from "./read-fidelity.ts";
import { iterationClause } from "./read-iteration.ts";
import { listingClause } from "./read-listing.ts";
import { memoryClause } from "./read-memory.ts";
import { noticeClause } from "./read-notice.ts";
import { seenClause } from "./read-seen.ts";

/** R: cursors and listings. */
export const readClauses: readonly Clause[] = [
  openClause,
  nextClause,
  tryNextClause,
  aheadClause,
  noticeClause,
  abortClause,
  noMessageClause,
  pendingClause,
  closeClause,
  seenClause,
  memoryClause,
  fidelityClause,
  lifeSignalClause,
  iterationClause,
  listingClause,
];

import type { Clause } from "../clause.ts";
import { closeStoreClause } from "./life-close.ts";
import { damageClause } from "./life-damage.ts";
import { incapableClause, newerClause } from "./life-open.ts";
import { secretsClause } from "./life-secrets.ts";
import { failedSyncClause } from "./life-sync.ts";

/** L: opening, closing, and what happens when storage fails. */
export const lifeClauses: readonly Clause[] = [
  closeStoreClause,
  incapableClause,
  newerClause,
  damageClause,
  failedSyncClause,
  secretsClause,
];

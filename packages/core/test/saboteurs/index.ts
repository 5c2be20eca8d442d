import { appendSaboteurs } from "./append.ts";
import { commitSaboteurs } from "./commits.ts";
import { globalSaboteurs } from "./global.ts";
import { lifeSaboteurs } from "./life.ts";
import { offsetSaboteurs } from "./offsets.ts";
import { readSaboteurs } from "./read.ts";
import type { Saboteur } from "./saboteur.ts";
import { stateSaboteurs } from "./state.ts";
import { valueSaboteurs } from "./values.ts";

/** Every saboteur, in the order of the clauses that catch them. */
export const saboteurs: readonly Saboteur[] = [
  ...appendSaboteurs,
  ...readSaboteurs,
  ...globalSaboteurs,
  ...stateSaboteurs,
  ...commitSaboteurs,
  ...valueSaboteurs,
  ...offsetSaboteurs,
  ...lifeSaboteurs,
];

import type { Clause } from "../clause.ts";
import { envelopeClause } from "./values-envelope.ts";
import { jsonClause, protoClause } from "./values-json.ts";
import { limitsClause } from "./values-limits.ts";
import { namesClause, numbersClause } from "./values-names.ts";

export const valueClauses: readonly Clause[] = [
  jsonClause,
  protoClause,
  namesClause,
  numbersClause,
  limitsClause,
  envelopeClause,
];

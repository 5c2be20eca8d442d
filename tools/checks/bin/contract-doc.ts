/** Rewrites docs/contract.md from the clauses. */
import { writeFileSync } from "node:fs";
import { contractDoc, contractDocPath } from "../src/contract-doc.ts";

writeFileSync(contractDocPath, contractDoc());
console.log(contractDocPath);

/** Rewrites the API report of every public entry point; review what changed as a diff. */
import { entries, writeReport } from "../src/api-reports.ts";

for (const entry of entries()) {
  writeReport(entry);
  console.log(`${entry.specifier}: ${entry.report}`);
}

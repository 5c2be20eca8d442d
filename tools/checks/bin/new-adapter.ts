/** Makes the package of an adapter that is yet to be written, in packages/ of the folder it is run in: `pnpm new:adapter NAME`. */
import { relative } from "node:path";
import { makeAdapter } from "../src/new-adapter.ts";

try {
  for (const path of makeAdapter(process.argv[2] ?? "", process.cwd())) console.log(relative("", path));
  console.log(
    "\nIt compiles, and its tests name what it does not do yet: docs/adding-an-adapter.md goes on from here.",
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

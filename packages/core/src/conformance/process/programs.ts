import { racePrograms } from "../history/race-program.ts";
import { commitPrograms } from "./commit-programs.ts";
import { killPrograms } from "./kill-programs.ts";
import type { Programs } from "./program.ts";
import { readPrograms } from "./read-programs.ts";

/** What child processes can be asked to do, by name. */
export const programs: Programs = { ...commitPrograms, ...killPrograms, ...racePrograms, ...readPrograms };

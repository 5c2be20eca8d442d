import { honestFile } from "./honest.ts";
import { saboteurs } from "./index.ts";

/** What a child process imports, as `child.ts?name=...`: the harness of that name. */
const name = new URL(import.meta.url).searchParams.get("name");
const harness = [honestFile, ...saboteurs.map((saboteur) => saboteur.harness)].find((one) => one.name === name);

export default harness;

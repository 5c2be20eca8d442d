/** Says why something is left out, and gives false; with CI=true it must not be. */
export function skipLoudly(why: string): false {
  if (process.env["CI"] === "true") throw new Error(why);
  console.warn(`SKIPPED, LOUDLY: ${why}`);
  return false;
}

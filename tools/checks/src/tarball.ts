import { run } from "./programs.ts";
import { root } from "./workspace.ts";

/** What a package's tarball holds, without the leading "package/". */
export async function filesOf(tarball: string): Promise<readonly string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball], { cwd: root });
  return stdout
    .split("\n")
    .filter((name) => name !== "" && !name.endsWith("/"))
    .map((name) => name.replace(/^package\//, ""))
    .sort();
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for as long as `work` takes; kept where `work` says so, or fails, for whoever looks into it. */
export async function withScratch<T>(name: string, work: (folder: string, keep: () => void) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-crash-${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const keep = () => {
    process.removeListener("exit", remove);
  };
  process.once("exit", remove);
  try {
    const result = await work(folder, keep);
    if (process.listeners("exit").includes(remove)) remove();
    return result;
  } finally {
    keep();
  }
}

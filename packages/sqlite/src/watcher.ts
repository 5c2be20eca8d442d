import { type FSWatcher, watch } from "node:fs";

/** For so long after the file moved, commits are looked for: it moves when a commit begins, and the sync may take its time. */
const LOOK_FOR_MS = 30;
const STEP_MS = 1;

/**
 * Calls `wake` soon after another process has committed: a change of the write-ahead log is the hint, `moved` tells
 * whether the commit is there yet. Where files can't be watched nothing is called.
 */
export function watchLog(path: string, moved: () => boolean, wake: () => void): () => void {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lookUntil = 0;
  const look = () => {
    timer = undefined;
    if (moved()) wake();
    if (performance.now() < lookUntil) timer = setTimeout(look, STEP_MS);
  };
  const hint = () => {
    lookUntil = performance.now() + LOOK_FOR_MS;
    timer ??= setTimeout(look, STEP_MS);
  };
  const stop = () => {
    clearTimeout(timer);
    watcher?.close();
  };
  try {
    watcher = watch(path, { persistent: false }, hint).on("error", stop);
  } catch {
    // No watches left, or none on this platform: core's own polling finds every commit, only later.
  }
  return stop;
}

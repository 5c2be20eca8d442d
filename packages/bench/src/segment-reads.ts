import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { sep } from "node:path";

/** Counts the reads of files in a folder called `segments`, by whoever makes them, until `stop` is called. */
export function countSegmentReads(): { readonly reads: () => number; readonly stop: () => void } {
  const { openSync, readSync, read } = fs;
  const segments = new Set<number>();
  let reads = 0;
  const count = (fd: number) => {
    if (segments.has(fd)) reads += 1;
  };
  Object.assign(fs, {
    openSync: (...args: Parameters<typeof openSync>) => {
      const fd = openSync(...args);
      segments.delete(fd);
      if (String(args[0]).includes(`${sep}segments${sep}`)) segments.add(fd);
      return fd;
    },
    readSync: (...args: Parameters<typeof readSync>) => {
      count(args[0]);
      return readSync(...args);
    },
    read: (...args: Parameters<typeof read>) => {
      count(args[0]);
      return read(...args);
    },
  });
  syncBuiltinESMExports();
  const stop = () => {
    Object.assign(fs, { openSync, readSync, read });
    syncBuiltinESMExports();
  };
  return { reads: () => reads, stop };
}

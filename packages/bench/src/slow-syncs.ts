import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/**
 * Loaded in front of a process (`--import`): each of its asynchronous syncs takes a millisecond or two more, as on a slower
 * disk. The sync itself is real; the delay is a timer, so that it costs no processor.
 */
const DELAY_MS = 1;

function delayed(sync: (fd: number, done: fs.NoParamCallback) => void): typeof sync {
  return (fd, done) => sync(fd, (error) => setTimeout(done, DELAY_MS, error));
}

Object.assign(fs, { fdatasync: delayed(fs.fdatasync), fsync: delayed(fs.fsync) });
syncBuiltinESMExports();

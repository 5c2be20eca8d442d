import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, lstatSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { DriverFailure } from "@holdfast/core/driver";
import { seal } from "@holdfast/core/log";
import { makeFolder, prepareDirectory } from "./directory.ts";
import { damaged, wrongArgument } from "./failure.ts";
import { isTemporaryName, openFile, Publisher, syncFolder } from "./files.ts";
import { encodeLine, wholeAt } from "./framing.ts";
import {
  CHECKPOINT_FOLDER,
  FIRST_SEGMENT,
  FOLDERS,
  FORMAT,
  LOG_FOLDER,
  logFileName,
  MARK_FILE,
  README_FILE,
  SEGMENT_FOLDER,
  STORE_FILE,
  TEMPORARY_FOLDER,
} from "./layout.ts";
import { encodeMark } from "./mark.ts";
import { probe } from "./probe.ts";
import { README } from "./readme.ts";
import { readAt } from "./scan.ts";

/** A store's folder, checked and ready. */
export interface StoreFolder {
  readonly root: string;
  readonly storeId: string;
  readonly publisher: Publisher;
}

/** What was left in the temporary folder so long ago belongs to nobody any more. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000;
/** The first file of a log in which nothing was ever written. */
const EMPTY_LOG = encodeLine({ log: "segment", number: FIRST_SEGMENT, format: FORMAT });

/** Opens the store in `directory`, and creates it where there is none. */
export async function openStoreFolder(directory: unknown): Promise<StoreFolder> {
  const root = await prepareDirectory(directory);
  const publisher = new Publisher(join(root, TEMPORARY_FOLDER));
  let storeId = readStoreFile(root);
  if (storeId === undefined) {
    checkUnused(root);
    await create(root, publisher);
    storeId = readStoreFile(root);
  } else {
    // Whoever created it: its name must not vanish in a power cut.
    await syncFolder(root);
  }
  if (storeId === undefined) throw damaged(`${STORE_FILE} is missing`);
  for (const folder of FOLDERS) {
    if (lstatSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory()) continue;
    throw damaged(`the folder ${folder} is missing from the store, or is a symbolic link`);
  }
  clearLeftovers(join(root, TEMPORARY_FOLDER));
  await probe(join(root, TEMPORARY_FOLDER));
  return { root, storeId, publisher };
}

/** undefined: there is none. */
function readStoreFile(root: string): string | undefined {
  const fd = openFile(join(root, STORE_FILE), "read");
  if (fd === undefined) return undefined;
  try {
    const line = wholeAt(readAt(fd, 0, fstatSync(fd).size));
    if (line === undefined) throw damaged(`${STORE_FILE} is damaged`);
    const { format, id } = JSON.parse(line.toString("utf8")) as { readonly format: number; readonly id: string };
    if (format <= FORMAT) return id;
    throw new DriverFailure(
      "unsupported",
      `the store has format ${format}, and this version knows formats up to ${FORMAT}: upgrade @holdfast/filesystem`,
    );
  } finally {
    closeSync(fd);
  }
}

/**
 * A folder without a store may be empty, or hold what is left of a creation that was cut short: names of ours, and no
 * data. Anything else is somebody else's, or a store that lost its head.
 */
function checkUnused(root: string): void {
  const names = readdirSync(root);
  const known: readonly string[] = [...FOLDERS, README_FILE, MARK_FILE, STORE_FILE];
  const strange = names.some((name) => !known.includes(name));
  const data = [SEGMENT_FOLDER, CHECKPOINT_FOLDER].some(
    (folder) => names.includes(folder) && isFilled(join(root, folder)),
  );
  const filled = data || (names.includes(LOG_FOLDER) && hasLog(join(root, LOG_FOLDER)));
  // Others may have created it since.
  if ((!strange && !filled) || lstatSync(join(root, STORE_FILE), { throwIfNoEntry: false }) !== undefined) return;
  if (filled) throw damaged(`${STORE_FILE} is missing`);
  throw wrongArgument("the folder holds files, and no Holdfast store, and is left as it is: name an empty one");
}

function isFilled(folder: string): boolean {
  return readdirSync(folder).length > 0;
}

function hasLog(folder: string): boolean {
  const [first, ...others] = readdirSync(folder);
  if (first === undefined) return false;
  return (
    others.length > 0 || first !== logFileName(FIRST_SEGMENT) || lstatSync(join(folder, first)).size > EMPTY_LOG.length
  );
}

/** All else is made and durable before the file that makes a store of it: whoever is first with that one names the store. */
async function create(root: string, publisher: Publisher): Promise<void> {
  for (const folder of FOLDERS) makeFolder(join(root, folder));
  await publisher.create(join(root, README_FILE), Buffer.from(README));
  await publisher.create(join(root, MARK_FILE), encodeMark(undefined));
  await publisher.create(join(root, LOG_FOLDER, logFileName(FIRST_SEGMENT)), EMPTY_LOG);
  const store = seal(`"format":${FORMAT},"id":"${randomUUID()}"}\n`);
  await publisher.create(join(root, STORE_FILE), store);
}

function clearLeftovers(temporary: string): void {
  for (const name of readdirSync(temporary).filter(isTemporaryName)) {
    const path = join(temporary, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() && Date.now() - stats.mtimeMs > LEFTOVER_MS) unlinkSync(path);
  }
}

/** One edit of the sources, and the test that must find it out. */
export interface Mutant {
  readonly name: string;
  /** What can then happen that must not. */
  readonly breaks: string;
  /** Below src. */
  readonly file: string;
  /** Is there exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly killedBy: {
    /** Below test. */
    readonly file: string;
    /** The name of the test, or so much of it as no other test there has. */
    readonly test: string;
  };
}

const LOG = "log.test.ts";
const SCAN = "scan.test.ts";
const OPEN = "open.test.ts";
const ORDER = "order.test.ts";
const COSTS = "costs.test.ts";
const DURABLE = "durable.test.ts";

/** Of what stands in a file of the log, and how it is found. */
const scanMutants: readonly Mutant[] = [
  {
    name: "the size that a torn block states is trusted",
    breaks: "what was acknowledged behind a torn block is lost",
    file: "scan.ts",
    find: "at = this.#nextBeginning(at);",
    replace: "at = this.#nextBeginning(at + (statedSize(this.#load(at, SEAL_BYTES), 0) ?? 0));",
    killedBy: { file: SCAN, test: "is never believed about its size" },
  },
  {
    name: "a pending tail is called dead",
    breaks: "a reader passes over a block that is being written",
    file: "scan.ts",
    find: "if (found === undefined) return { blocks, decided, rolled",
    replace: "if (found === undefined) return { blocks, decided: size, rolled",
    killedBy: { file: SCAN, test: "cut after 200 bytes: pending at the end" },
  },
  {
    name: "blocks behind the line that ends a file count",
    breaks: "a block is there twice: its writer sends it again in the next file",
    file: "scan.ts",
    find: "return { blocks, decided, rolled: true,",
    replace: "return { blocks: [...blocks, ...scan(fd, decided, size, maxBytes).blocks], decided, rolled: true,",
    killedBy: { file: SCAN, test: "the first line that names the next file ends this one" },
  },
  {
    name: "checksums are not looked at",
    breaks: "damaged bytes are handed out",
    file: "framing.ts",
    find: "isWhole(bytes, at) ?",
    replace: "bytes.length >= at + size ?",
    killedBy: { file: SCAN, test: "with a wrong checksum is dead" },
  },
  {
    name: "a line feed alone stands between blocks",
    breaks: "a block that was told to be not written becomes whole by the next one's beginning",
    file: "framing.ts",
    find: 'Buffer.from(" \\n")',
    replace: 'Buffer.from("\\n")',
    killedBy: { file: SCAN, test: "becomes whole by what the next writer begins with in no case" },
  },
];

/** Of appends, reads and their syncs. */
const syncMutants: readonly Mutant[] = [
  {
    name: "the count that a write gives is believed",
    breaks: "a block that is torn, or behind the end of its file, is acknowledged",
    file: "live-segment.ts",
    find: "return this.scan(from, Number.POSITIVE_INFINITY).blocks.some(({ bytes }) => Buffer.compare(bytes, block) === 0);",
    replace: "return written;",
    killedBy: { file: LOG, test: "a block that landed behind the end is void" },
  },
  {
    name: "a short write is taken for a whole one",
    breaks: "a torn block is acknowledged",
    file: "live-segment.ts",
    find: "return this.scan(from, Number.POSITIVE_INFINITY).blocks.some(({ bytes }) => Buffer.compare(bytes, block) === 0);",
    replace: "return !this.rolled;",
    killedBy: { file: COSTS, test: "a short write is dead, and the whole block is sent again" },
  },
  {
    name: "an append is not synced",
    breaks: "an acknowledged write is lost in a power cut",
    file: "log-end.ts",
    find: "await live.syncAppended();",
    replace: "",
    killedBy: { file: DURABLE, test: "each append is on disk when the log says that it is in it" },
  },
  {
    name: "a reader hands out what is not synced",
    breaks: "what was read, or a conflict with it was told, is gone after a power cut",
    file: "filesystem-log.ts",
    find: "await this.#end.sync(live, size);",
    replace: "",
    killedBy: { file: COSTS, test: "a reader syncs what it found before it tells of it" },
  },
  {
    name: "a sync that takes too long is told as a failure",
    breaks: "what was told to be not written is there",
    file: "filesystem-log.ts",
    find: 'return { kind: "uncertain",',
    replace: 'return { kind: "notWritten",',
    killedBy: { file: COSTS, test: "a sync that takes too long leaves the outcome open" },
  },
  {
    name: "it goes on after a sync that failed",
    breaks: "a later sync succeeds, and what the first one lost is acknowledged",
    file: "log-end.ts",
    find: "this.failed ??= this.#tellOfFailure(live, error);\n      throw this.failed;",
    replace: "throw this.#tellOfFailure(live, error);",
    killedBy: { file: COSTS, test: "L-5: its writes are of unknown outcome" },
  },
  {
    name: "nobody is told of a sync that failed",
    breaks: "another process, to which the system says nothing, hands out what the disk never took",
    file: "log-end.ts",
    find: 'live.tell({ log: "sync failed", from: live.durable });',
    replace: "",
    killedBy: { file: COSTS, test: "the other processes are told" },
  },
  {
    name: "what others tell of a sync that failed is ignored",
    breaks: "what the disk never took is handed out",
    file: "live-segment.ts",
    find: "found.distrusted.end > this.durable) this.#distrusted = found.distrusted;",
    replace: "found.distrusted.end > this.durable) this.#distrusted = undefined;",
    killedBy: { file: COSTS, test: "whoever is told writes the distrusted bytes again" },
  },
];

/** Of opening, and of closing. */
const openMutants: readonly Mutant[] = [
  {
    name: "the end of the log is not secured at open",
    breaks: "what a dead process wrote is read from the page cache, and is gone after a power cut",
    file: "live-segment.ts",
    find: "if (segment.durable < segment.size) await segment.#secure(segment.durable);",
    replace: "segment.durable = segment.size;",
    killedBy: { file: COSTS, test: "what the mark does not vouch for is written again in place" },
  },
  {
    name: "the end of the log is synced at open, but not written again",
    breaks: "pages look clean whose write failed: the sync says nothing about them",
    file: "live-segment.ts",
    find: "at += writeSync(fd, bytes, 0, bytes.length, at);",
    replace: "at += bytes.length;",
    killedBy: { file: COSTS, test: "what the mark does not vouch for is written again in place" },
  },
  {
    name: "close leaves no mark",
    breaks: "a log that is cut off behind an old mark is taken for whole",
    file: "mark.ts",
    find: "if (this.#newest !== undefined) this.#write(this.#newest);",
    replace: "",
    killedBy: { file: DURABLE, test: "the mark that close leaves is the newest" },
  },
  {
    name: "an older mark replaces a newer one",
    breaks: "a log that is cut off behind the older one is taken for whole",
    file: "mark.ts",
    find: "if (other !== undefined && other.witness.position >= mark.witness.position) return;",
    replace: "if (other === undefined && mark === undefined) return;",
    killedBy: { file: LOG, test: "is kept, the newest of all processes" },
  },
  {
    name: "a store.json that others made meanwhile is replaced",
    breaks: "one folder has two identities",
    file: "store-folder.ts",
    find: "await publisher.create(join(root, STORE_FILE), store);",
    replace: "await publisher.replace(join(root, STORE_FILE), [store]);",
    killedBy: { file: DURABLE, test: "made and opened by several at once is one store" },
  },
  {
    name: "a file that is a symbolic link is followed",
    breaks: "a file outside of the store's folder is written to",
    file: "files.ts",
    find: "ACCESS[access] | O_NOFOLLOW | O_NONBLOCK",
    replace: "ACCESS[access] | O_NONBLOCK",
    killedBy: { file: OPEN, test: "mark is a symbolic link: refused" },
  },
  {
    name: "a folder that is a symbolic link is followed",
    breaks: "files outside of the store's folder are written to",
    file: "store-folder.ts",
    find: "if (lstatSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory()) continue;",
    replace: "if (readdirSync(join(root, folder)) !== undefined) continue;",
    killedBy: { file: OPEN, test: "segments is a symbolic link: refused" },
  },
];

/** Of files and their names. */
const fileMutants: readonly Mutant[] = [
  {
    name: "a file gets its name before its bytes are synced",
    breaks: "after a power cut it is empty",
    file: "files.ts",
    find: "await fsync(fd);\n    } catch (error) {",
    replace: "} catch (error) {",
    killedBy: { file: ORDER, test: "every file is synced before it gets its name" },
  },
  {
    name: "the folder is not synced when a file of the log is made",
    breaks: "a file that blocks were acknowledged in is gone after a power cut",
    file: "files.ts",
    find: "await syncFolder(dirname(path));\n    return created;",
    replace: "return created;",
    killedBy: { file: ORDER, test: "and its folder after" },
  },
  {
    name: "the next file is named before it is there",
    breaks: "the log ends in a file that does not exist",
    file: "log-end.ts",
    find: "await publisher.create(join(folder, logFileName(number)), header);",
    replace:
      'live.tell({ log: "next", number });\n    await publisher.create(join(folder, logFileName(number)), header);',
    killedBy: { file: ORDER, test: "the log goes on in another file only when that is durable" },
  },
  {
    name: "the next file is written to before the one in front of it is durable",
    breaks: "after a power cut a hole is in the log",
    file: "log-end.ts",
    find: "await this.sync(live, live.size);",
    replace: "",
    killedBy: { file: ORDER, test: "and all of the one before is" },
  },
  {
    name: "a file of the log that is missing is made by whoever opens it",
    breaks: "the log goes on in a file that lacks what was in it",
    file: "files.ts",
    find: "ACCESS[access] | O_NOFOLLOW",
    replace: "ACCESS[access] | (access === 'append' ? O_CREAT : 0) | O_NOFOLLOW",
    killedBy: { file: DURABLE, test: "a writer that slept does not make the next file anew" },
  },
  {
    name: "merged files are removed",
    breaks: "who slept meanwhile can't tell what was merged from what was lost",
    file: "closed-segments.ts",
    find: 'await this.#publisher.replace(path, [encodeLine({ log: "merged", number: each, end })]);',
    replace: 'process.getBuiltinModule("node:fs").unlinkSync(path);',
    killedBy: { file: LOG, test: "files in front of a position become stubs of the same name" },
  },
  {
    name: "who secures a file does not see that a stub took its place",
    breaks: "a stub is written over",
    file: "live-segment.ts",
    find: "if (isSameFile(fd, this.#reader)) await this.#rewrite(fd, from, upTo);",
    replace: "await this.#rewrite(fd, from, upTo);",
    killedBy: { file: LOG, test: "a stub is never written over by one who slept" },
  },
  {
    name: "a checkpoint is not looked for again once it has its name",
    breaks: "a compare-and-swap is won with an old version",
    file: "archive.ts",
    find: "const first = numbers.at(-1) === number;",
    replace: "const first = true;",
    killedBy: { file: LOG, test: "a checkpoint that was slow to get its name" },
  },
];

export const mutants: readonly Mutant[] = [...scanMutants, ...syncMutants, ...openMutants, ...fileMutants];

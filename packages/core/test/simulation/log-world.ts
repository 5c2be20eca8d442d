import type {
  Appended,
  Archive,
  CommitLog,
  LogBlock,
  LogPage,
  Position,
  Witness,
} from "../../src/commit-log/commit-log.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { ArchiveWorld, MERGE_AFTER } from "./archive-world.ts";
import { isLost, type Network } from "./network.ts";
import type { Owner } from "./scheduler.ts";

const GAP = 4;
/** A disk that hangs answers when it likes. */
const HANGS = 0.01;
const SYNC_FAILS = 0.002;

/** A block on its way: however often it is sent, it lands once, or never. */
interface Try {
  readonly bytes: Uint8Array;
  state: "open" | "landed" | "cancelled";
}

/** One log in memory, that many handles append to. */
export class LogWorld {
  readonly blocks: LogBlock[] = [];
  readonly archive = new ArchiveWorld();
  mergeAfter = MERGE_AFTER;
  witness: Witness | undefined;
  /** What lies in front of it was merged away. */
  forgotten: Position = 0;
  #end = 0;
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  handle(): CommitLog {
    return new LogHandle(this, this.#network);
  }

  /** All that was ever appended, without an archive: a log that was never merged. */
  unmerged(): CommitLog {
    const whole = new LogWorld(this.#network);
    whole.blocks.push(...this.blocks);
    const { archive: _, ...log } = logOf(new LogHandle(whole, this.#network));
    return log;
  }

  land(tried: Try): void {
    if (tried.state !== "open") return;
    tried.state = "landed";
    const position = this.#end + this.#network.scheduler.random.integer(GAP);
    this.blocks.push({ position, bytes: tried.bytes });
    this.#end = position + tried.bytes.length;
  }

  pageFrom(from: Position, maxBytes: number): LogPage | "merged" {
    if (from < this.forgotten) return "merged";
    const blocks: LogBlock[] = [];
    let next = from;
    let bytes = 0;
    for (let index = this.#indexOf(from); index < this.blocks.length; index += 1) {
      const block = this.blocks[index] as LogBlock;
      bytes += block.bytes.length;
      if (blocks.length > 0 && bytes > maxBytes) return { blocks, next, more: true };
      blocks.push({ position: block.position, bytes: Uint8Array.from(block.bytes) });
      next = block.position + block.bytes.length;
    }
    return { blocks, next, more: false };
  }

  bytesAt(position: Position): Uint8Array | "merged" | undefined {
    if (position < this.forgotten) return "merged";
    const block = this.blocks[this.#indexOf(position)];
    return block?.position === position ? block.bytes : undefined;
  }

  /** The first block at `from` or behind it. */
  #indexOf(from: Position): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.blocks[middle] as LogBlock).position < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The verbs of a handle as plain properties. */
function logOf(handle: LogHandle): CommitLog {
  return {
    storeId: handle.storeId,
    durable: handle.durable,
    noticeMs: handle.noticeMs,
    maxGroupBytes: handle.maxGroupBytes,
    start: handle.start,
    mergeAfter: handle.mergeAfter,
    append: (block, deadline) => handle.append(block, deadline),
    read: (from, maxBytes) => handle.read(from, maxBytes),
    readBytes: (position, offset, length) => handle.readBytes(position, offset, length),
    close: () => handle.close(),
  };
}

/** Whether nothing may be written through a log any more, as a sync to disk failed. */
export function mustReopen(log: CommitLog | undefined): boolean {
  return log instanceof LogHandle && log.mustReopen;
}

class LogHandle implements CommitLog {
  readonly storeId = "simulated";
  readonly durable = true;
  readonly noticeMs = 5;
  readonly maxGroupBytes = 8 * 1024;
  readonly start = 0;
  readonly mergeAfter: CommitLog["mergeAfter"];
  readonly archive: Archive;
  readonly witness: Witness | undefined;
  readonly #world: LogWorld;
  readonly #network: Network;
  #unsettled: Try | undefined;
  #busy = false;
  #reopen = false;

  constructor(world: LogWorld, network: Network) {
    this.#world = world;
    this.#network = network;
    this.mergeAfter = world.mergeAfter;
    this.archive = world.archive.handle(network);
    this.witness = world.witness;
  }

  get mustReopen(): boolean {
    return this.#reopen;
  }

  async append(block: Uint8Array, deadline: number): Promise<Appended> {
    const network = this.#network;
    if (this.#busy) network.violate("SPI: append was called while another append was pending");
    if (this.#reopen) network.violate("SPI: append was called after a sync had failed");
    const unsettled = this.#unsettled;
    if (unsettled !== undefined && Buffer.compare(unsettled.bytes, block) !== 0) {
      network.violate("SPI: other bytes were appended before an uncertain block came to its end");
    }
    const tried: Try = unsettled ?? { bytes: Uint8Array.from(block), state: "open" };
    this.#busy = true;
    const appended = await this.#send(tried, deadline);
    this.#busy = false;
    this.#unsettled = appended.kind === "uncertain" || appended.kind === "reopen" ? tried : undefined;
    this.#reopen ||= appended.kind === "reopen";
    return appended;
  }

  async #send(tried: Try, deadline: number): Promise<Appended> {
    const network = this.#network;
    const { scheduler, weather } = network;
    const faulty = weather.lost > 0;
    const leftMs = deadline - scheduler.now;
    const wrote = network.write(`append ${tried.bytes.length} bytes`, () => {
      this.#world.land(tried);
      return tried.state;
    });
    const cause = new DriverFailure("unavailable", "the log did not answer");
    if (faulty && network.chance(SYNC_FAILS)) {
      network.counts.reopens += 1;
      await wrote;
      return { kind: "reopen", cause };
    }
    const hangs = faulty && network.chance(HANGS);
    if (hangs) network.counts.hangs += 1;
    const reply = await within(wrote, leftMs, scheduler.current, network);
    if (hangs) await scheduler.sleep(Math.max(0, deadline - scheduler.now) + 50 + scheduler.random.integer(400));
    if (reply === "landed") return { kind: "appended" };
    if (!isLost(reply) || reply.lost === "unknown" || tried.state === "landed") return { kind: "uncertain", cause };
    // A definite end: no copy of it will land any more, whatever is still under way.
    tried.state = "cancelled";
    return { kind: "notWritten", cause };
  }

  async read(from: Position, maxBytes: number): Promise<LogPage | "merged"> {
    return this.#network.read(`log from ${from}`, () => this.#world.pageFrom(from, maxBytes));
  }

  async readBytes(position: Position, offset: number, length: number): Promise<Uint8Array | "merged"> {
    const bytes = await this.#network.read(`block ${position}`, () => this.#world.bytesAt(position));
    if (bytes === undefined) throw new DriverFailure("argument", `no block begins at ${position}`);
    return bytes === "merged" ? bytes : bytes.slice(offset, offset + length);
  }

  async forget(position: Position): Promise<void> {
    const world = this.#world;
    await this.#network.write(`forget ${position}`, () => {
      const checkpoint = world.archive.checkpoint;
      if (checkpoint === undefined) this.#network.violate("SPI: blocks were forgotten that no checkpoint holds");
      world.forgotten = Math.max(world.forgotten, position);
    });
  }

  bearWitness(witness: Witness): void {
    const world = this.#world;
    if (world.witness === undefined || witness.position > world.witness.position) world.witness = witness;
  }

  async close(): Promise<void> {
    await this.#network.read("close", () => undefined).catch(() => undefined);
  }
}

/** A reply, or by the deadline the news that there is none. */
function within<T>(
  reply: Promise<T>,
  leftMs: number,
  owner: Owner,
  network: Network,
): Promise<T | { readonly lost: "unknown" }> {
  return new Promise((resolve) => {
    const timer = network.scheduler.after(leftMs, owner, () => resolve({ lost: "unknown" }));
    void reply.then((value) => {
      timer.run = undefined;
      resolve(value);
    });
  });
}

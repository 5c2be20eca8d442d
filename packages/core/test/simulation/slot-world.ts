import type { Archive, CommitLog } from "../../src/commit-log/commit-log.ts";
import { slotLog } from "../../src/commit-log/slot-log.ts";
import type { Slots } from "../../src/commit-log/slots.ts";
import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { ArchiveWorld, MERGE_AFTER } from "./archive-world.ts";
import { Landings } from "./landings.ts";
import { isLost, type Lost, type Network } from "./network.ts";

/** A store that creates a name only if it is absent, in memory, that many handles share. */
export class SlotWorld {
  readonly slots = new Map<number, Uint8Array>();
  /** What a slot held before it was replaced by a stub. */
  readonly originals = new Map<number, Uint8Array>();
  readonly archive = new ArchiveWorld();
  mergeAfter = MERGE_AFTER;
  readonly #network: Network;
  readonly #landings: Landings;

  constructor(network: Network) {
    this.#network = network;
    this.#landings = new Landings(network);
  }

  /** Without an archive nothing is merged. */
  async handle(archived = true): Promise<CommitLog> {
    return this.#landings.watch(slotLog(new SlotHandle(this, this.#network, archived)));
  }

  /** All that was ever created, without an archive: a log that was never merged. */
  async unmerged(): Promise<CommitLog> {
    const whole = new SlotWorld(this.#network);
    for (const [slot, bytes] of this.slots) whole.slots.set(slot, this.originals.get(slot) ?? bytes);
    return whole.handle(false);
  }

  create(slot: number, bytes: Uint8Array): "created" | "taken" {
    if (this.slots.has(slot)) return "taken";
    if (slot > 0 && !this.slots.has(slot - 1)) this.#network.violate(`slot ${slot} was created behind a free one`);
    this.slots.set(slot, bytes);
    this.#landings.landed(slot, bytes);
    return "created";
  }

  replace(slot: number, stub: Uint8Array): void {
    const bytes = this.slots.get(slot);
    if (bytes === undefined) this.#network.violate(`slot ${slot} was replaced, and was free`);
    else if (!this.originals.has(slot)) this.originals.set(slot, bytes);
    // No verb of Slots frees a name: this is how a mutant does.
    if (stub.length === 0) {
      this.slots.delete(slot);
      return;
    }
    if (stub.length > 200) this.#network.violate(`the stub of slot ${slot} has ${stub.length} bytes`);
    this.slots.set(slot, stub);
  }
}

class SlotHandle implements Slots {
  readonly storeId = "simulated";
  readonly durable = true;
  readonly noticeMs = 5;
  readonly maxGroupBytes = 8 * 1024;
  readonly mergeAfter: Slots["mergeAfter"];
  readonly archive?: Archive;
  readonly #world: SlotWorld;
  readonly #network: Network;

  constructor(world: SlotWorld, network: Network, archived: boolean) {
    this.#world = world;
    this.#network = network;
    this.mergeAfter = world.mergeAfter;
    if (archived) this.archive = world.archive.handle(network);
  }

  async create(slot: number, bytes: Uint8Array): Promise<"created" | "taken"> {
    const copy = Uint8Array.from(bytes);
    const reply = await this.#network.write(`create ${slot} (${bytes.length} bytes)`, () =>
      this.#world.create(slot, copy),
    );
    if (isLost(reply)) throw failure(reply);
    return reply;
  }

  async read(slot: number): Promise<Uint8Array | undefined> {
    return this.#network.read(`slot ${slot}`, () => this.#world.slots.get(slot)?.slice());
  }

  async readPart(slot: number, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#network.read(`slot ${slot} ${offset}+${length}`, () =>
      this.#world.slots.get(slot)?.slice(offset, offset + length),
    );
  }

  async replace(slot: number, stub: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(stub);
    const reply = await this.#network.write(`replace ${slot}`, () => this.#world.replace(slot, copy));
    if (isLost(reply)) throw failure(reply);
  }

  async close(): Promise<void> {
    await this.#network.read("close", () => undefined).catch(() => undefined);
  }
}

/** Only where it is certain that nothing was created is it a DriverFailure. */
function failure({ lost }: Lost): Error {
  return lost === "definite" ? new DriverFailure("unavailable", "the store refused") : new Error("no answer");
}

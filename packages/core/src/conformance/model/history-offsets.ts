import { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import { equal } from "../expect.ts";
import { meets } from "./meets.ts";
import type { Operation } from "./operation.ts";
import type { World } from "./world.ts";

type Kind = "offset" | "sequence";

/** A projection's record of one kind: how often it was written, and its cursors. */
interface CursorRecord {
  written: number;
  readonly cursors: Map<string, number>;
}

/** One instance, and how often each record had been written when it last saw it. */
interface Instance {
  readonly offsets: DurableStateOffsetStore;
  readonly seen: Map<CursorRecord, number>;
}

/** The offset operations of one history, by two instances that don't know of each other. */
export class HistoryOffsets {
  readonly #world: World;
  readonly #prefix: string;
  readonly #records = new Map<string, CursorRecord>();
  #instances: readonly Instance[] = [];

  constructor(world: World, prefix: string) {
    this.#world = world;
    this.#prefix = prefix;
    this.renew();
  }

  /** New instances, on the store as it is open now. */
  renew(): void {
    const make = () => ({ offsets: new DurableStateOffsetStore(this.#world.store.state), seen: new Map() });
    this.#instances = [make(), make()];
  }

  async save({ instance, of, projection, tag, position }: Operation & { readonly kind: "save" }): Promise<void> {
    const { offsets, seen } = this.#instance(instance);
    const record = this.#record(of, projection);
    const conflict = seen.has(record) && seen.get(record) !== record.written;
    if (conflict) {
      seen.delete(record);
    } else {
      record.written += 1;
      record.cursors.set(tag, position);
      seen.set(record, record.written);
    }
    const name = this.#prefix + projection;
    const call = of === "offset" ? offsets.saveOffset(name, tag, position) : offsets.saveSequence(name, tag, position);
    await meets(call, conflict ? { code: "HOLDFAST_REVISION_CONFLICT" } : undefined, `saving the ${of} ${position}`);
  }

  async restore({
    instance,
    of,
    projection,
    tag,
  }: Omit<Operation & { readonly kind: "restore" }, "kind">): Promise<void> {
    const { offsets, seen } = this.#instance(instance);
    const record = this.#record(of, projection);
    const name = this.#prefix + projection;
    const found = await meets(
      of === "offset" ? offsets.loadOffset(name, tag) : offsets.loadSequence(name, tag),
      undefined,
      `loading the ${of}`,
    );
    equal(found, record.cursors.get(tag) ?? 0, `the ${of} of ${tag} in projection ${projection}`);
    seen.set(record, record.written);
  }

  async clear({ instance, projection }: Operation & { readonly kind: "clear" }): Promise<void> {
    await meets(this.#instance(instance).offsets.clear(this.#prefix + projection), undefined, "clearing a projection");
    for (const kind of ["offset", "sequence"] as const) {
      const record = this.#record(kind, projection);
      record.cursors.clear();
      // Whether clearing what is not there writes a revision is left open: all look again, and know.
      for (const each of this.#instances.keys()) await this.restore({ instance: each, of: kind, projection, tag: "a" });
    }
  }

  #instance(index: number): Instance {
    const instance = this.#instances[index];
    if (instance === undefined) throw new RangeError(`there is no instance ${index}`);
    return instance;
  }

  #record(of: Kind, projection: string): CursorRecord {
    const key = `${of} ${projection}`;
    const record = this.#records.get(key) ?? { written: 0, cursors: new Map() };
    this.#records.set(key, record);
    return record;
  }
}

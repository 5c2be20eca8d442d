import { type DataStore, hasGlobalOrder } from "../../contract/data-store.ts";
import type { Harness } from "../harness.ts";

/** One open store for many histories, each under names of its own. */
export class World {
  readonly #harness: Harness;
  readonly #place: string;
  #store: DataStore;
  #histories = 0;

  private constructor(harness: Harness, place: string, store: DataStore) {
    this.#harness = harness;
    this.#place = place;
    this.#store = store;
  }

  static async create(harness: Harness): Promise<World> {
    const place = await harness.create();
    return new World(harness, place, await harness.open(place));
  }

  get store(): DataStore {
    return this.#store;
  }

  /** What the names of the next history begin with, and the global offset at which its messages begin. */
  async next(): Promise<{ readonly prefix: string; readonly base: number }> {
    this.#histories += 1;
    const base = hasGlobalOrder(this.#store) ? await this.#store.messages.nextGlobalOffset() : 0;
    return { prefix: `${this.#histories}/`, base };
  }

  async reopen(): Promise<void> {
    await this.#store.close();
    this.#store = await this.#harness.open(this.#place);
  }

  async destroy(): Promise<void> {
    await this.#store.close();
    await this.#harness.destroy(this.#place);
  }
}

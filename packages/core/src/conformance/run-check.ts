import type { DataStore } from "../contract/data-store.ts";
import type { OpenOptions } from "../contract/options.ts";
import type { Check, Clause, Context, Hook, Peer, Place } from "./clause.ts";
import { within } from "./expect.ts";
import type { Harness } from "./harness.ts";
import { HookMissing, spawnPeer } from "./process/spawn.ts";
import { Random } from "./random.ts";

/** What became of one check. `untidy` is what went wrong after its end: closing its stores, destroying its places. */
export type CheckResult = {
  readonly clause: Clause;
  readonly check: Check;
  readonly untidy: readonly unknown[];
} & (
  | { readonly outcome: "passed" }
  | { readonly outcome: "failed"; readonly error: unknown }
  | { readonly outcome: "left out"; readonly reason: string }
);

/** How long the clean-up may wait for one store to close, a peer to end or a place to go. */
const cleanUpMs = 5_000;

export function timeoutOf(check: Check): number {
  return check.timeoutMs ?? 10_000;
}

/** Why the check does not apply to this backend, or cannot be made with this harness; undefined where it can. */
export function reasonToLeaveOut(check: Check, harness: Harness): string | undefined {
  for (const [power, wanted] of Object.entries(check.needs)) {
    const had = harness.capabilities[power as keyof Harness["capabilities"]];
    if (had !== wanted) return `as the backend's capability ${power} is ${JSON.stringify(had)}`;
  }
  if (check.hook === undefined) return undefined;
  const supplied = check.hook === "module" ? harness.module : harness.faults?.[check.hook];
  return supplied === undefined ? unproved(check.hook) : undefined;
}

function unproved(hook: Hook): string {
  return `and so unproved, as the harness has no ${hook === "module" ? "module" : `faults.${hook}`}`;
}

/** Runs one check on fresh places, within its time, and cleans up after it. Never rejects. */
export async function runCheck(harness: Harness, clause: Clause, check: Check, seed: number): Promise<CheckResult> {
  const reason = reasonToLeaveOut(check, harness);
  if (reason !== undefined) return { clause, check, outcome: "left out", reason, untidy: [] };
  const bench = new Bench(harness, new Random(seedOf(`${clause.id} ${check.title}`, seed)));
  let failure: { readonly error: unknown } | undefined;
  try {
    await within(timeoutOf(check), check.run(bench), "the check ends");
  } catch (error) {
    failure = { error };
  }
  const untidy = await bench.cleanUp();
  if (failure === undefined) return { clause, check, outcome: "passed", untidy };
  if (failure.error instanceof HookMissing) {
    return { clause, check, outcome: "left out", reason: unproved(failure.error.hook), untidy };
  }
  return { clause, check, outcome: "failed", error: failure.error, untidy };
}

/** The places, stores and peers of one check. */
class Bench implements Context {
  readonly capabilities: Harness["capabilities"];
  readonly faults: Context["faults"];
  readonly random: Random;
  readonly #harness: Harness;
  readonly #places: string[] = [];
  readonly #stores: DataStore[] = [];
  readonly #peers: Peer[] = [];
  #ended = false;

  constructor(harness: Harness, random: Random) {
    this.#harness = harness;
    this.capabilities = harness.capabilities;
    this.faults = harness.faults ?? {};
    this.random = random;
  }

  async store(options?: OpenOptions): Promise<DataStore> {
    return (await this.place()).open(options);
  }

  async place(): Promise<Place> {
    const name = await this.#harness.create();
    if (this.#ended) await this.#harness.destroy(name);
    else this.#places.push(name);
    return {
      name,
      open: (options) => this.#open(name, options),
      spawn: (program, input) => this.#spawn(name, program, input),
    };
  }

  async #open(place: string, options: OpenOptions | undefined): Promise<DataStore> {
    const store = await this.#harness.open(place, options);
    if (this.#ended) await store.close();
    else this.#stores.push(store);
    return store;
  }

  async #spawn(place: string, program: string, input: unknown): Promise<Peer> {
    const peer = await spawnPeer(this.#harness.module, place, program, input);
    if (this.#ended) await peer.kill();
    else this.#peers.push(peer);
    return peer;
  }

  /** A check that ran out of time may still be at work: what it opens from now on is closed at once. */
  async cleanUp(): Promise<readonly unknown[]> {
    this.#ended = true;
    const untidy: unknown[] = [];
    const each = <T>(items: readonly T[], what: string, end: (item: T) => Promise<void>) =>
      Promise.all(
        items.map(async (item) => {
          try {
            await within(cleanUpMs, end(item), what);
          } catch (error) {
            untidy.push(error);
          }
        }),
      );
    await each(this.#peers, "a child process ends", (peer) => peer.kill());
    await each(this.#stores, "a store closes after its check", (store) => store.close());
    await each(this.#places, "a place is destroyed after its check", (place) => this.#harness.destroy(place));
    return untidy;
  }
}

/** Mixes the run's seed with the check's name (FNV-1a), so that a check draws the same whichever others run. */
function seedOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

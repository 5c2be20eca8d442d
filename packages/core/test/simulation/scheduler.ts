import { Random } from "../../src/conformance/random.ts";

/** Who an event happens to. What a dead process was to do never happens; what a paused one was to do happens later. */
export interface Owner {
  readonly name: string;
  alive: boolean;
  pausedUntil: number;
}

interface Event {
  time: number;
  /** Drawn from the seed: decides between events of one moment. */
  readonly tie: number;
  readonly owner: Owner;
  /** undefined: cancelled. */
  run: (() => void) | undefined;
}

/** No immediate, no reply is instant: two processes that do the same race. */
const TURN_MS = 0.02;
/** After so many events the real event loop has its turn. */
const EVENTS_A_TURN = 2_048;

const realSetImmediate = setImmediate;
const realDate = Date;

/** One turn of the real event loop, in which promises that nobody handles are reported. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

/**
 * A seeded clock and queue of events. One event runs at a time, to the end of all microtasks that it starts; which comes
 * next is decided by virtual time, and by the seed. The same seed gives the same run, event by event.
 */
export class Scheduler {
  readonly random: Random;
  /** The world itself: it never dies. */
  readonly world: Owner = { name: "world", alive: true, pausedUntil: 0 };
  /** The owner of what runs now. */
  current: Owner = this.world;
  /** Virtual milliseconds, without the time slept through. */
  #time = 0;
  /** Time that passed while every timer slept, as on a suspended machine. */
  #sleptMs = 0;
  #steps = 0;
  #hash = 0;
  readonly #heap: Event[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get now(): number {
    return this.#time + this.#sleptMs;
  }

  /** Events so far: one number that orders all that happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Of all events so far, their times and owners. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Mixes a number into the hash of the run. */
  mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193) ^ (this.#hash >>> 15);
  }

  mixText(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.mix(text.charCodeAt(index));
  }

  /** Time passes at once; no timer notices. */
  sleepThrough(ms: number): void {
    this.#sleptMs += ms;
  }

  after(delayMs: number, owner: Owner, run: () => void): Event {
    const event: Event = { time: this.#time + Math.max(0, delayMs), tie: this.random.next(), owner, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!before(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
    return event;
  }

  soon(owner: Owner, run: () => void): Event {
    return this.after(this.random.next() * TURN_MS, owner, run);
  }

  sleep(ms: number): Promise<void> {
    const owner = this.current;
    return new Promise((resolve) => this.after(ms, owner, resolve));
  }

  /** Nothing happens to this owner for so long; then all of it. */
  pause(owner: Owner, ms: number): void {
    owner.pausedUntil = Math.max(owner.pausedUntil, this.#time + ms);
  }

  /** Runs events until `done` says so; false: nothing is left to happen, or there were `maxSteps` of them. */
  run(done: () => boolean, maxSteps: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (done()) return resolve(true);
          if (this.#steps >= maxSteps || !this.#happen()) return resolve(false);
        } catch (error) {
          return reject(error);
        }
        queueMicrotask(next);
      };
      // A tick comes after all microtasks: whatever the event started has come to rest.
      const next = () => {
        if (this.#steps % EVENTS_A_TURN === 0) realSetImmediate(step);
        else process.nextTick(step);
      };
      next();
    });
  }

  #happen(): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      const { run, owner } = event;
      if (run === undefined || !owner.alive) continue;
      this.#time = event.time;
      if (owner.pausedUntil > event.time) {
        this.after(owner.pausedUntil - event.time, owner, run);
        continue;
      }
      event.run = undefined;
      this.#steps += 1;
      this.mix(Math.floor(event.time * 1_000));
      this.mix(owner.name.charCodeAt(0) * 31 + owner.name.charCodeAt(1));
      this.current = owner;
      run();
      return true;
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, below)) {
        child += 1;
        below = right;
      }
      if (!before(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function before(left: Event, right: Event): boolean {
  return left.time < right.time || (left.time === right.time && left.tie < right.tie);
}

/** What `setTimeout` and `setImmediate` give: as much of a timer as code asks for. */
class VirtualTimer {
  readonly #event: Event;

  constructor(event: Event) {
    this.#event = event;
  }

  cancel(): void {
    this.#event.run = undefined;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

let active: Scheduler | undefined;

function scheduler(): Scheduler {
  if (active === undefined) throw new Error("no simulation runs: nothing may ask for the time");
  return active;
}

/** From now on the globals of this process ask this scheduler. */
export function activate(next: Scheduler): void {
  active = next;
}

/** Replaces the clock, the timers and Math.random of this process, for good. */
export function installVirtualTime(): void {
  const START_MS = realDate.UTC(2026, 0, 1);
  class VirtualDate extends realDate {
    constructor(...given: [] | [value: number | string | Date]) {
      if (given.length === 0) super(START_MS + scheduler().now);
      else super(...given);
    }

    static override now(): number {
      return Math.floor(START_MS + scheduler().now);
    }
  }
  const cancel = (timer: unknown) => {
    if (timer instanceof VirtualTimer) timer.cancel();
  };
  const replacements = {
    Date: VirtualDate,
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const current = scheduler();
      return new VirtualTimer(current.after(Math.max(1, ms), current.current, () => run(...args)));
    },
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => {
      const current = scheduler();
      return new VirtualTimer(current.soon(current.current, () => run(...args)));
    },
    clearTimeout: cancel,
    clearImmediate: cancel,
    setInterval: () => {
      throw new Error("setInterval is not simulated");
    },
  };
  Object.assign(globalThis, replacements);
  performance.now = () => scheduler().now;
  Math.random = () => scheduler().random.next();
}

/** What `node:crypto` gives instead of true randomness: the same for the same seed. */
export function virtualBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = active ? Math.floor(active.random.next() * 256) : 7;
  return bytes;
}

/** As {@link virtualBytes}, in the form of a UUID. */
export function virtualUuid(): `${string}-${string}-${string}-${string}-${string}` {
  const hex = virtualBytes(16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

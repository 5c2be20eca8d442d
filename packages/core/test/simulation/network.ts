import { DriverFailure } from "../../src/driver/driver-failure.ts";
import { type Counts, noCounts } from "./counts.ts";
import type { Owner, Scheduler } from "./scheduler.ts";

/** So many times what a request takes, the second copy of it may come later. */
const LATEST_ECHO = 40;
/** A process that opens reads dozens of blocks: where more fail, it never gets through. */
const MOST_BROKEN_READS = 0.03;

/** How often a request meets what, from 0 to 1; together at most 1. */
export interface Weather {
  /** The request never arrives; its caller is told so when its patience ends. */
  readonly lost: number;
  /** It takes effect, and the reply is lost. */
  readonly lostReply: number;
  /** It takes effect when its caller has long been told that nobody knows. */
  readonly late: number;
  /** It is refused at once, and has no effect. */
  readonly failed: number;
  /** It arrives twice; the second reply is the one that counts. */
  readonly twice: number;
  /** It takes many times as long. */
  readonly slow: number;
}

export const CALM: Weather = { lost: 0, lostReply: 0, late: 0, failed: 0, twice: 0, slow: 0 };

export type Fate = "ok" | "lost" | "lostReply" | "late" | "failed" | "twice";

/** A request that was not answered, or was refused. */
export interface Lost {
  readonly lost: "definite" | "unknown";
}

export function isLost(reply: unknown): reply is Lost {
  return typeof reply === "object" && reply !== null && "lost" in reply;
}

/** What lies between processes and the store: it delays, loses, repeats and reorders. */
export class Network {
  readonly scheduler: Scheduler;
  readonly counts: Counts = noCounts();
  readonly violations: string[] = [];
  weather: Weather = CALM;
  /** Of a request, one way, in virtual milliseconds. */
  latencyMs = 0.5;
  jitter = 1;
  /** How long a caller waits for a reply that never comes. */
  patienceMs = 20;
  trace: ((line: string) => void) | undefined;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(what);
    this.tell(() => `VIOLATION ${what}`);
  }

  tell(line: () => string): void {
    if (this.trace === undefined) return;
    const { now, steps, current } = this.scheduler;
    this.trace(`${now.toFixed(3).padStart(12)} ${String(steps).padStart(7)} ${current.name.padEnd(6)} ${line()}`);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.scheduler.random.next() < probability;
  }

  delayMs(): number {
    const { random } = this.scheduler;
    const base = this.latencyMs * (1 + (random.next() - 0.5) * this.jitter);
    return this.chance(this.weather.slow) ? base * (5 + random.integer(40)) : base;
  }

  draw(): Fate {
    const { lost, lostReply, late, failed, twice } = this.weather;
    let drawn = this.scheduler.random.next();
    for (const [fate, share] of [
      ["lost", lost],
      ["lostReply", lostReply],
      ["late", late],
      ["failed", failed],
      ["twice", twice],
    ] as const) {
      if (drawn < share) return fate;
      drawn -= share;
    }
    return "ok";
  }

  /** A request that changes something: `effect` runs once at the store, twice, late, or never. */
  write<T>(what: string, effect: () => T): Promise<T | Lost> {
    const { scheduler } = this;
    const owner = scheduler.current;
    const fate = this.draw();
    const request = { owner, what, effect, answered: false };
    return new Promise<T | Lost>((resolve) => {
      const answer = (reply: T | Lost, delayMs: number) =>
        scheduler.after(delayMs, owner, () => {
          if (request.answered) return;
          request.answered = true;
          this.tell(() => `reply ${what}: ${told(reply)}`);
          resolve(reply);
        });
      this.tell(() => `send  ${what} (${fate})`);
      const there = this.delayMs();
      switch (fate) {
        case "failed":
          answer({ lost: "definite" }, there);
          break;
        case "lost":
          answer({ lost: "unknown" }, this.patienceMs);
          break;
        case "lostReply":
          this.#arrive(request, there, () => {
            this.counts.lostReplies += 1;
          });
          answer({ lost: "unknown" }, Math.max(this.patienceMs, there));
          break;
        case "late":
          answer({ lost: "unknown" }, this.patienceMs);
          this.#arrive(request, this.patienceMs * (1 + scheduler.random.next() * 8), () => {
            this.counts.lostReplies += 1;
          });
          break;
        case "twice":
          this.#arrive(request, there, () => undefined);
          this.#arrive(request, there + this.delayMs() * scheduler.random.integer(LATEST_ECHO), (reply) =>
            answer(reply, this.delayMs()),
          );
          break;
        default:
          this.#arrive(request, there, (reply) => answer(reply, this.delayMs()));
      }
    });
  }

  #arrive<T>(
    request: { readonly owner: Owner; readonly what: string; readonly effect: () => T; readonly answered: boolean },
    delayMs: number,
    then: (reply: T) => void,
  ): void {
    this.scheduler.after(delayMs, this.scheduler.world, () => {
      if (request.answered || !request.owner.alive) this.counts.lateDeliveries += 1;
      const reply = request.effect();
      this.tell(() => `effect ${request.what}${request.answered ? " (late)" : ""}: ${told(reply)}`);
      then(reply);
    });
  }

  /** A request that changes nothing; `look` sees the store at one moment between call and reply. Rejects with DriverFailure. */
  read<T>(what: string, look: () => T): Promise<T> {
    const { scheduler } = this;
    const owner = scheduler.current;
    const { failed, lost } = this.weather;
    const broken = this.chance(Math.min(MOST_BROKEN_READS, failed + lost));
    const waits = broken && this.chance(0.5) ? this.patienceMs : this.delayMs();
    return new Promise<T>((resolve, reject) => {
      if (broken) {
        scheduler.after(waits, owner, () => reject(new DriverFailure("unavailable", `no answer to ${what}`)));
        return;
      }
      scheduler.after(waits, scheduler.world, () => {
        const seen = look();
        scheduler.after(this.delayMs(), owner, () => {
          this.tell(() => `read  ${what}: ${told(seen)}`);
          resolve(seen);
        });
      });
    });
  }
}

function told(reply: unknown): string {
  if (reply instanceof Uint8Array) return `${reply.length} bytes`;
  if (typeof reply !== "object" || reply === null) return String(reply);
  return JSON.stringify(reply, (_, value) => (value instanceof Uint8Array ? `${value.length} bytes` : value));
}

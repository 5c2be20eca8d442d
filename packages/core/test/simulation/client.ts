import type { HistoryWrite, Outcome } from "../../src/conformance/history/history.ts";
import type { Random } from "../../src/conformance/random.ts";
import type { Transaction } from "../../src/contract/data-store.ts";
import type { Envelope } from "../../src/contract/envelope.ts";
import { OffsetConflictError, OutcomeUnknownError, RevisionConflictError } from "../../src/contract/errors.ts";
import { ClientReads } from "./client-reads.ts";
import { type Desk, IDS, type Plan, STREAMS } from "./desk.ts";
import type { OpenCommit } from "./recorder.ts";
import type { SimulatedProcess, Store } from "./simulated-process.ts";

const MAX_MESSAGES = 5;
const PADDING = "x".repeat(3_000);

/** What one client of a process does: each call is one operation. */
export class Client {
  readonly #desk: Desk;
  readonly #process: SimulatedProcess;
  readonly #store: Store;
  readonly #name: string;
  readonly #reads: ClientReads;

  constructor(desk: Desk, process: SimulatedProcess, store: Store, name: string) {
    this.#desk = desk;
    this.#process = process;
    this.#store = store;
    this.#name = name;
    this.#reads = new ClientReads(desk, process, store, name);
  }

  async operation(): Promise<void> {
    const { random } = this.#desk;
    const drawn = random.next();
    if (drawn < 0.36) await this.#commit(this.#plan([await this.#append()]));
    else if (drawn < 0.5) await this.#commit(this.#plan([await this.#stateWrite()]));
    else if (drawn < 0.58) await this.#commit(await this.#transaction());
    else if (drawn < 0.64) await this.#repeat();
    else await this.#reads.look();
  }

  async #append(): Promise<HistoryWrite> {
    const { random } = this.#desk;
    const stream = random.next() < 0.6 ? "hot" : random.pick(STREAMS);
    const known =
      random.next() < 0.3 ? await this.#reads.nextOffset(stream) : (this.#process.nextOffsets.get(stream) ?? 0);
    const count = random.next() < 0.6 ? 1 : 1 + random.integer(MAX_MESSAGES);
    const tokens = Array.from({ length: count }, () => this.#token());
    return { kind: "append", stream, offset: this.#aim(known), tokens };
  }

  async #stateWrite(): Promise<HistoryWrite> {
    const { random } = this.#desk;
    const persistenceId = random.pick(IDS);
    const known =
      random.next() < 0.3 ? await this.#reads.load(persistenceId) : (this.#process.revisions.get(persistenceId) ?? 0);
    const revision = this.#aim(known);
    if (random.next() < 0.2) return { kind: "delete", persistenceId, revision };
    return { kind: "upsert", persistenceId, revision, token: this.#token() };
  }

  async #transaction(): Promise<Plan> {
    const { random } = this.#desk;
    const writes: HistoryWrite[] = [];
    const places = new Set<string>();
    for (let left = 1 + random.integer(3); left > 0; left -= 1) {
      const write = random.next() < 0.6 ? await this.#append() : await this.#stateWrite();
      const place = write.kind === "append" ? `m${write.stream}` : `s${write.persistenceId}`;
      if (!places.has(place)) writes.push(write);
      places.add(place);
    }
    const [first] = writes;
    // Twice to one stream: the second stands on the first.
    if (first?.kind === "append" && random.next() < 0.3) {
      writes.push({ ...first, offset: first.offset + first.tokens.length, tokens: [this.#token()] });
    }
    return this.#plan(writes);
  }

  #plan(writes: readonly HistoryWrite[]): Plan {
    const { random, journal } = this.#desk;
    const named = random.next() < 0.35;
    const plan: Plan = { commitId: named ? `c${this.#token()}` : undefined, writes };
    if (named) journal.push(plan);
    return plan;
  }

  /** Mostly where it is believed to stand; sometimes behind it, or beyond. */
  #aim(known: number): number {
    const { random } = this.#desk;
    const drawn = random.next();
    if (drawn < 0.92) return known;
    if (drawn < 0.96) return Math.max(0, known - 1 - random.integer(3));
    return known + 1 + random.integer(2);
  }

  #token(): string {
    this.#desk.tokens += 1;
    return this.#desk.tokens.toString(36);
  }

  async #repeat(): Promise<void> {
    const { random, journal, network } = this.#desk;
    if (journal.length === 0) return;
    // Mostly one of the last: of those the outcome may still be open.
    const last = Math.min(journal.length, 5);
    const plan = journal[journal.length - 1 - random.integer(random.next() < 0.7 ? last : journal.length)] as Plan;
    network.counts.repeats += 1;
    await this.#commit(plan);
  }

  async #commit(plan: Plan): Promise<void> {
    const { recorder } = this.#desk;
    const open: OpenCommit = {
      client: this.#name,
      called: recorder.tick(),
      writes: plan.writes,
      ...(plan.commitId === undefined ? {} : { commitId: plan.commitId }),
    };
    this.#process.inFlight.add(open);
    const outcome = await this.#outcomeOf(plan);
    this.#process.inFlight.delete(open);
    recorder.commit(open, outcome);
    this.#learn(plan, outcome);
  }

  async #outcomeOf(plan: Plan): Promise<Outcome> {
    const { network, random } = this.#desk;
    try {
      network.tell(() => `call  commit ${JSON.stringify(plan)}`);
      await send(this.#store, plan, random);
      return { kind: "ok" };
    } catch (error) {
      network.tell(() => `error ${String(error)}`);
      if (error instanceof OffsetConflictError) {
        const { writes } = plan;
        const write = writes.findIndex(
          (each) => each.kind === "append" && each.stream === error.stream && each.offset === error.offset,
        );
        if (this.#process.nextOffsets.get(error.stream) === error.offset) network.counts.lostRaces += 1;
        return { kind: "conflict", write, actual: error.nextOffset };
      }
      if (error instanceof RevisionConflictError) {
        const { persistenceId, expectedRevision, actualRevision } = error;
        const write = plan.writes.findIndex(
          (each) =>
            each.kind !== "append" && each.persistenceId === persistenceId && each.revision === expectedRevision,
        );
        if (this.#process.revisions.get(persistenceId) === expectedRevision) network.counts.lostRaces += 1;
        return { kind: "conflict", write, actual: actualRevision };
      }
      if (error instanceof OutcomeUnknownError) {
        network.counts.unknownOutcomes += 1;
        return random.next() < 0.5 ? this.#settle(error) : { kind: "unknown" };
      }
      this.#reads.expectPlain(error, "a write");
      return { kind: "notWritten" };
    }
  }

  async #settle(error: OutcomeUnknownError): Promise<Outcome> {
    const { network, random } = this.#desk;
    for (let left = 4; left > 0; left -= 1) {
      await network.scheduler.sleep(random.integer(60));
      try {
        const there = await error.settle();
        network.counts.settled += 1;
        network.tell(() => `settled: ${there}`);
        return { kind: there ? "ok" : "notWritten" };
      } catch (again) {
        if (!(again instanceof OutcomeUnknownError)) this.#reads.expectPlain(again, "settle()");
      }
    }
    return { kind: "unknown" };
  }

  #learn({ writes }: Plan, outcome: Outcome): void {
    const { nextOffsets, revisions } = this.#process;
    for (const [index, write] of writes.entries()) {
      const actual = outcome.kind === "conflict" && outcome.write === index ? outcome.actual : undefined;
      if (write.kind === "append") {
        if (outcome.kind === "ok") nextOffsets.set(write.stream, write.offset + write.tokens.length);
        else if (actual !== undefined) nextOffsets.set(write.stream, actual);
      } else if (outcome.kind === "ok") revisions.set(write.persistenceId, write.revision + 1);
      else if (actual !== undefined) revisions.set(write.persistenceId, actual);
    }
  }
}

async function send(store: Store, { commitId, writes }: Plan, random: Random): Promise<void> {
  const options = commitId === undefined ? {} : { commitId };
  const [first] = writes;
  if (first === undefined) return;
  if (writes.length > 1) {
    await store.transaction(async (tx) => {
      for (const write of writes) {
        if (random.next() < 0.5) await perform(tx, write, {});
        else perform(tx, write, {}).catch(() => undefined);
      }
    }, options);
    return;
  }
  await perform(store, first, options);
}

async function perform(on: Store | Transaction, write: HistoryWrite, options: { commitId?: string }): Promise<void> {
  switch (write.kind) {
    case "append":
      await on.messages.appendMessages(write.stream, write.offset, write.tokens.map(envelopeOf), options);
      break;
    case "upsert":
      await on.state.upsert(write.persistenceId, write.revision, { token: write.token }, options);
      break;
    case "delete":
      await on.state.delete(write.persistenceId, write.revision, options);
  }
}

/** Of a token there is one message: sent again it is the same. */
function envelopeOf(token: string): Envelope<{ readonly token: string; readonly padding?: string }> {
  const large = token.endsWith("z");
  return {
    id: token,
    type: "t",
    data: large ? { token, padding: PADDING } : { token },
    createdAt: "2026-01-01T00:00:00Z",
  };
}

import { type Commit, clashesWithItself, isAcknowledged } from "./commits.ts";
import type { Findings } from "./findings.ts";
import type { CommitOperation, FinalState, HistoryWrite } from "./history.ts";
import type { Order } from "./order.ts";
import { nobody, type Places } from "./places.ts";

type AppendWrite = HistoryWrite & { readonly kind: "append" };
type StateWrite = Exclude<HistoryWrite, AppendWrite>;

/** Whether a write is in the final state; "maybe": nobody saw the revision that it would have made. */
type Presence = "there" | "part" | "maybe" | "absent";

interface Missing {
  readonly commit: Commit;
  readonly presences: readonly Presence[];
}

/** Finds out which commits took effect, and who made each offset and revision of the final state: each has one maker. */
export class Claims {
  /** The commits that took effect, by their moment. */
  readonly made: (Commit | undefined)[] = [];
  readonly #places: Places;
  readonly #order: Order;
  readonly #findings: Findings;

  constructor(places: Places, order: Order, findings: Findings) {
    this.#places = places;
    this.#order = order;
    this.#findings = findings;
  }

  settle(commits: readonly Commit[], final: FinalState): void {
    const missing: Missing[] = [];
    for (const commit of commits) {
      this.#wellFormed(commit);
      if (!isAcknowledged(commit)) continue;
      if (commit.writes.some((write) => isMissing(this.#presence(write)))) {
        missing.push({ commit, presences: commit.writes.map((write) => this.#presence(write)) });
      }
      if (commit.denied !== undefined)
        this.#findings.add(
          ["W-4", "W-3"],
          "one call was acknowledged, a repeat of it told of a conflict",
          commit.operations,
        );
      this.#claim(commit);
    }
    for (const one of missing) this.#missing(one);
    this.#settleOpen(commits.filter((commit) => commit.isPossible && !isAcknowledged(commit)));
    this.#unclaimed(commits, final);
  }

  #wellFormed({ writes, operations }: Commit): void {
    if (!clashesWithItself(writes)) return;
    const taken = operations.filter(({ outcome }) => outcome.kind !== "notWritten");
    if (taken.length > 0) this.#findings.add(["W-2"], "a transaction that clashes with itself was not refused", taken);
  }

  /** Commits of unknown outcome: those that were seen, and those without whom a revision has no maker. */
  #settleOpen(commits: readonly Commit[]): void {
    let open = commits;
    for (let before = -1; before !== open.length; ) {
      before = open.length;
      open = open.filter((commit) => !this.#decided(commit));
      const candidates = countSteps(open);
      const isNeeded = (commit: Commit) => stepsOf(commit).some((step) => candidates.get(step) === 1);
      for (const commit of open) if (isNeeded(commit)) this.#claim(commit);
      open = open.filter((commit) => !isNeeded(commit));
    }
    this.#share(open);
  }

  #presence(write: HistoryWrite): Presence {
    return write.kind === "append" ? this.#appendPresence(write) : this.#statePresence(write);
  }

  #appendPresence({ stream, offset, tokens }: AppendWrite): Presence {
    const found = this.#places.stream(stream).tokens;
    let there = 0;
    for (let index = 0; index < tokens.length; index++) if (found[offset + index] === tokens[index]) there += 1;
    if (there === tokens.length) return "there";
    return there === 0 ? "absent" : "part";
  }

  #statePresence(write: StateWrite): Presence {
    const { held, makers } = this.#places.state(write.persistenceId);
    if (write.revision >= held.length || makers[write.revision] !== nobody) return "absent";
    const seen = held[write.revision];
    if (seen === undefined) return "maybe";
    if (write.kind === "delete") return seen === null ? "maybe" : "absent";
    return seen === write.token ? "there" : "absent";
  }

  /** Of an acknowledged commit not all is where it should be. */
  #missing({ commit, presences }: Missing): void {
    const { writes, operations } = commit;
    if (presences.includes("part"))
      this.#findings.add(["A-3"], "of an acknowledged append a part is there", operations);
    if (!presences.includes("absent")) return;
    const write = writes[presences.indexOf("absent")] as HistoryWrite;
    const isAppend = write.kind === "append";
    const rival = this.#rival(write);
    const isRace = rival !== undefined && isAcknowledged(rival);
    const whole = presences.every((presence) => presence === "absent");
    const clauses = isRace ? (isAppend ? ["A-7", "A-1"] : ["S-2", "S-6", "S-5"]) : ["W-10", isAppend ? "A-1" : "S-2"];
    const what = isRace
      ? `two writes were told that they won one ${isAppend ? "offset" : "revision"}`
      : "an acknowledged write is not in the place that it was told it won";
    this.#findings.add(whole ? clauses : ["W-1", ...clauses], what, [
      ...(isRace ? rival.operations : []),
      ...operations,
    ]);
  }

  /** The commit that has the write's place. */
  #rival(write: HistoryWrite): Commit | undefined {
    const maker =
      write.kind === "append"
        ? this.#places.stream(write.stream).makers[write.offset]
        : this.#places.state(write.persistenceId).makers[write.revision];
    return this.made[maker ?? nobody];
  }

  /** Whether it is known by now if a commit of unknown outcome took effect. */
  #decided(commit: Commit): boolean {
    const presences = commit.writes.map((write) => this.#presence(write));
    if (presences.every((presence) => presence === "maybe")) return false;
    if (presences.every((presence) => presence === "absent" || presence === "maybe")) return true;
    if (presences.includes("part")) this.#findings.add(["A-3"], "of an append a part is there", commit.operations);
    if (presences.includes("absent"))
      this.#findings.add(["W-1"], "of a transaction a part is there", commit.operations);
    this.#claim(commit);
    return true;
  }

  /** The commit took effect: what it wrote is its own. */
  #claim(commit: Commit): void {
    const moment = this.#order.moment(commit.operations, commit.called, commit.returned);
    this.made[moment] = commit;
    for (const write of commit.writes) {
      if (write.kind === "append") {
        const { tokens, makers } = this.#places.stream(write.stream);
        for (let index = 0; index < write.tokens.length; index++) {
          if (tokens[write.offset + index] === write.tokens[index]) makers[write.offset + index] = moment;
        }
      } else if (this.#statePresence(write) !== "absent") {
        this.#places.state(write.persistenceId).makers[write.revision] = moment;
      }
    }
  }

  /**
   * Several commits of unknown outcome may have made a revision that nobody saw. It was made at some moment after the
   * first was called: for single writes that is exact, of transactions it forgets that they are whole.
   */
  #share(open: readonly Commit[]): void {
    for (const commit of open.toSorted((one, other) => one.called - other.called)) {
      for (const write of commit.writes) {
        if (write.kind === "append" || this.#statePresence(write) !== "maybe") continue;
        const { makers } = this.#places.state(write.persistenceId);
        makers[write.revision] = this.#order.moment(commit.operations, commit.called, commit.returned);
      }
    }
  }

  /** Whatever is in the final state and was written by nobody who may have written it. */
  #unclaimed(commits: readonly Commit[], final: FinalState): void {
    let writers: Map<string, CommitOperation> | undefined;
    const writer = (token: string | null | undefined): CommitOperation | undefined => {
      writers ??= writersOf(commits);
      return writers.get(token ?? "");
    };
    for (const { stream } of final.streams) {
      const { tokens, makers } = this.#places.stream(stream);
      for (let offset = makers.indexOf(nobody); offset !== -1; offset = makers.indexOf(nobody, offset + 1)) {
        const token = tokens[offset];
        this.#blame(`${token} is at offset ${offset} of ${stream}`, writer(token), ["A-1", "A-4"], "A-2");
      }
    }
    for (const { persistenceId } of final.states) {
      const { held, makers } = this.#places.state(persistenceId);
      for (let step = makers.indexOf(nobody); step !== -1; step = makers.indexOf(nobody, step + 1)) {
        const token = held[step];
        this.#blame(
          `${token ?? "no state"} is revision ${step + 1} of ${persistenceId}`,
          writer(token),
          ["S-2", "S-5"],
          "S-3",
        );
      }
    }
  }

  #blame(where: string, writer: CommitOperation | undefined, clauses: readonly string[], conflict: string): void {
    if (writer === undefined) this.#findings.add(clauses, `${where}, and no call wrote it there`);
    else if (writer.outcome.kind === "conflict")
      this.#findings.add(["W-4", conflict], `${where}, and its writer was told of a conflict`, [writer]);
    else if (writer.outcome.kind === "notWritten")
      this.#findings.add(["W-5"], `${where}, and its writer was told that it was not written`, [writer]);
    else this.#findings.add(["W-3", ...clauses], `${where}, where its writer did not put it`, [writer]);
  }
}

function isMissing(presence: Presence): boolean {
  return presence === "part" || presence === "absent";
}

/** The revisions that a commit would have made. */
function stepsOf({ writes }: Commit): string[] {
  return writes.flatMap((write) => (write.kind === "append" ? [] : [`${write.revision} ${write.persistenceId}`]));
}

/** How many commits would have made each revision. */
function countSteps(commits: readonly Commit[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const step of commits.flatMap(stepsOf)) counts.set(step, (counts.get(step) ?? 0) + 1);
  return counts;
}

/** The call that wrote each token; of repeats the one that says most of it. */
function writersOf(commits: readonly Commit[]): Map<string, CommitOperation> {
  const writers = new Map<string, CommitOperation>();
  for (const { writes, operations, denied } of commits) {
    const call =
      denied ?? operations.find(({ outcome }) => outcome.kind === "ok" || outcome.kind === "unknown") ?? operations[0];
    if (call === undefined) continue;
    for (const write of writes) {
      if (write.kind === "append") for (const token of write.tokens) writers.set(token, call);
      if (write.kind === "upsert") writers.set(write.token, call);
    }
  }
  return writers;
}

/** How many blocks in front of a win are looked at for other writers. */
const NEAR_BLOCKS = 16;
/** A writer that meets nobody yields after so many wins, */
const FIRST_YIELD_WINS = 8;
/** and then each time after so many. */
const YIELD_WINS = 16;
/** How much of the time that a create takes is left to the others. */
const YIELD_SHARE = 0.3;
/** Below this a timer would wait several times longer than asked. */
const SHORTEST_PAUSE_MS = 0.5;
/** How much the newest create counts in the smoothed time. */
const SMOOTHING = 1 / 8;

/**
 * Keeps one writer from winning every race. Where replies take equally long, whoever won last knows first that the next
 * slot is free, and wins again; so a winner gives the others a moment before it creates the next slot.
 *
 * With other writers near, it yields after each win. Alone, it yields once in a while: that is what lets the first
 * other one in, and costs less than 2 %.
 */
export class Pace {
  #createMs: number | undefined;
  #lastWin = -1;
  /** How many slots up to the last win are ours, without a gap. */
  #ownRun = 0;
  #winsAlone = 0;
  #yieldAfterWins = FIRST_YIELD_WINS;
  #notBefore = 0;

  /** What a create takes at present, in milliseconds; 0 where none was answered yet. */
  get createMs(): number {
    return this.#createMs ?? 0;
  }

  answered(tookMs: number): void {
    this.#createMs = this.#createMs === undefined ? tookMs : this.#createMs + (tookMs - this.#createMs) * SMOOTHING;
  }

  won(slot: number): void {
    this.#ownRun = slot === this.#lastWin + 1 ? this.#ownRun + 1 : 1;
    this.#lastWin = slot;
    const alone = this.#ownRun >= Math.min(NEAR_BLOCKS, slot + 1);
    this.#winsAlone = alone ? this.#winsAlone + 1 : 0;
    if (!alone) this.#yieldAfterWins = FIRST_YIELD_WINS;
    if (alone && this.#winsAlone < this.#yieldAfterWins) return;
    if (alone) this.#yieldAfterWins = YIELD_WINS;
    this.#winsAlone = 0;
    this.#notBefore = performance.now() + this.createMs * YIELD_SHARE;
  }

  /** Resolves when this writer may create its next slot, at `deadline` at the latest. */
  async turn(deadline: number): Promise<void> {
    const now = performance.now();
    const pauseMs = Math.min(this.#notBefore, deadline) - now;
    if (pauseMs < SHORTEST_PAUSE_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A line for each tenth of the way, and one for all that broke. */
export class Progress {
  broken = 0;
  readonly #backend: string;
  readonly #unit: string;
  readonly #goal: number;
  #done = 0;
  #said = 0;

  constructor(backend: string, unit: string, goal: number) {
    this.#backend = backend;
    this.#unit = unit;
    this.#goal = goal;
  }

  add(count: number, where: string, broken: readonly string[]): void {
    this.#done += count;
    if (broken.length > 0) {
      this.broken += 1;
      console.error(`${this.#backend}, ${where}:\n${broken.join("\n")}`);
    }
    const tenths = Math.floor((10 * this.#done) / this.#goal);
    if (tenths <= this.#said) return;
    this.#said = tenths;
    console.log(`${this.#backend}: ${this.#done} of ${this.#goal} ${this.#unit}`);
  }
}

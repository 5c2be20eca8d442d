/** Tells how far the import and the count are: one updating line in a terminal, else a line every 5 % of the way. */
export class Progress {
  readonly #total: number;
  readonly #startedMs = performance.now();
  readonly #countedBefore: number;
  #imported: number;
  #counted: number;
  #drawnMs = 0;
  #drawnStep: number;

  constructor(total: number, imported: number, counted: number) {
    this.#total = total;
    this.#imported = imported;
    this.#counted = this.#countedBefore = counted;
    this.#drawnStep = this.#step();
  }

  imported(flights: number): void {
    this.#imported = flights;
    this.#draw();
  }

  counted(flights: number): void {
    this.#counted = flights;
    // The count may hear of a commit before its importer does, or count what another demo imported.
    this.#imported = Math.max(this.#imported, flights);
    this.#draw();
  }

  /** Leaves the last line standing. */
  end(): void {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${this.#line()}\n`);
  }

  #draw(): void {
    if (process.stdout.isTTY) {
      if (performance.now() - this.#drawnMs < 50) return;
      this.#drawnMs = performance.now();
      process.stdout.write(`\r\x1b[2K${this.#line()}`);
    } else if (this.#step() > this.#drawnStep) {
      this.#drawnStep = this.#step();
      console.log(this.#line());
    }
  }

  #share(): number {
    return (this.#imported + this.#counted) / (2 * this.#total);
  }

  #step(): number {
    return Math.floor(this.#share() * 20);
  }

  #line(): string {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const rate = Math.round((this.#counted - this.#countedBefore) / Math.max(seconds, 0.001));
    const bar = "█".repeat(this.#step()).padEnd(20, "░");
    const percent = `${Math.floor(this.#share() * 100)} %`.padStart(5);
    const [imported, counted, total] = [this.#imported, this.#counted, this.#total].map(withCommas);
    return `${bar}${percent}  ${imported} imported, ${counted} counted of ${total}, ${withCommas(rate)} flights/s`;
  }
}

export const withCommas = (count: number) => count.toLocaleString("en-US");

import type { Numbers } from "@holdfast/test-kit";

/** Goes through the 1st, 2nd, ... time that a program makes one system call, and begins again when it has outlived them. */
export class Sweep {
  readonly call: string;
  readonly #stride: number;
  readonly #numbers: Numbers;
  #nth = 0;
  #seed = 0;

  constructor(call: string, stride: number, numbers: Numbers) {
    this.call = call;
    this.#stride = stride;
    this.#numbers = numbers;
    this.survived();
  }

  /** What the program does is the same all through a sweep, so that a number means the same. */
  get seed(): number {
    return this.#seed;
  }

  next(): number {
    const nth = this.#nth;
    this.#nth += this.#stride;
    return nth;
  }

  /** The program made the call less often than that. */
  survived(): void {
    this.#nth = 1 + this.#numbers.below(this.#stride);
    this.#seed = this.#numbers.below(2 ** 31);
  }
}

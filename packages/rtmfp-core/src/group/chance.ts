/** Whole numbers and choices by chance, from a source of random bytes. */
export class Chance {
  readonly #random: (length: number) => Uint8Array;

  constructor(random: (length: number) => Uint8Array) {
    this.#random = random;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    return this.#random(4).reduce((value, byte) => (value + byte) / 0x100, 0);
  }

  /** One of `list`; undefined if it is empty. */
  one<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.next() * list.length)];
  }
}

/** How long to wait before something is tried again. */
import type { Clock } from "../clock.ts";

/** Doubles from 1 s to 30 s, less up to a half at random, so that many do not come back at once; anew after 3 s of success. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #first: number | undefined;
  #last = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether it has gone well for so long that the next failure is a first one. */
  get isFresh(): boolean {
    return this.#first !== undefined && this.#last - this.#first >= SUCCESS_MS;
  }

  /** It goes well. */
  succeeded(): void {
    this.#last = this.#clock.now();
    this.#first ??= this.#last;
  }

  /** It has failed: ms to wait. */
  next(): number {
    if (this.isFresh) this.#failures = 0;
    this.#first = undefined;
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(this.#failures++, 10));
    return most * (1 - this.#random() / 2);
  }
}

const FIRST_MS = 1_000;
const MOST_MS = 30_000;
const SUCCESS_MS = 3_000;

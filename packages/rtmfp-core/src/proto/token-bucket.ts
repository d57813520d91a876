/** How often something may happen: so many times a second, and more at one time after a pause. */

/** Starts full. Times in milliseconds. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** True if it is as good as a new one. */
  isFull(now: number): boolean {
    return this.#tokens + ((now - this.#at) * this.#perSecond) / 1_000 >= this.#burst;
  }

  /** True if {@link take} would find none. */
  isEmpty(now: number): boolean {
    return this.#tokens + ((now - this.#at) * this.#perSecond) / 1_000 < 1;
  }

  /** Takes one token; false if there is none. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes all that there are, and the next `debt`. */
  drain(now: number, debt: number): void {
    this.#tokens = -debt;
    this.#at = now;
  }
}

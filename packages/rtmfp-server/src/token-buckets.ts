/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** Rates per name, in a table of bounded size. */
export class TokenBuckets {
  /** May be set at any time. */
  rate: Rate;
  readonly #maxEntries: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** Beyond `maxEntries` names the one first seen gives way. */
  constructor(rate: Rate, maxEntries: number = MAX_ENTRIES) {
    this.rate = rate;
    this.#maxEntries = maxEntries;
  }

  /** Takes one token of `name`; false if there is none. `now` is monotonic ms. */
  allow(now: number, name: string): boolean {
    const { perSecond, burst } = this.rate;
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxEntries) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { tokens: burst, at: now };
      this.#buckets.set(name, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

const MAX_ENTRIES = 16_384;

/** Rates per name, in a table of bounded size. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #maxEntries: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** Beyond `maxEntries` names the one first seen gives way. */
  constructor(perSecond: number, burst: number, maxEntries: number = MAX_ENTRIES) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#maxEntries = maxEntries;
  }

  /** Takes one token of `name`; false if there is none. `now` is monotonic ms. */
  allow(now: number, name: string): boolean {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxEntries) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { tokens: this.#burst, at: now };
      this.#buckets.set(name, bucket);
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1000);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

const MAX_ENTRIES = 16_384;

/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** The rate of one thing. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** Full at first; `now` is monotonic ms. */
  constructor({ burst }: Rate, now: number) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes a token; false if there is none. `now` is monotonic ms. */
  allow(now: number, { perSecond, burst }: Rate): boolean {
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1000);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** Rates per name, in a table of bounded size. */
export class TokenBuckets {
  /** May be set at any time. */
  rate: Rate;
  readonly #maxEntries: number;
  readonly #buckets = new Map<string, TokenBucket>();

  /** Beyond `maxEntries` names the one first seen gives way. */
  constructor(rate: Rate, maxEntries: number = MAX_ENTRIES) {
    this.rate = rate;
    this.#maxEntries = maxEntries;
  }

  /** Takes one token of `name`; false if there is none. `now` is monotonic ms. */
  allow(now: number, name: string): boolean {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxEntries) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = new TokenBucket(this.rate, now);
      this.#buckets.set(name, bucket);
    }
    return bucket.allow(now, this.rate);
  }
}

const MAX_ENTRIES = 16_384;

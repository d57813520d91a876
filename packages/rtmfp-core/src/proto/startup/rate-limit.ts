/** A token bucket per source, in a table of bounded size. */
import { type Address, networkOf } from "../address.ts";
import { MAX_RATE_ENTRIES } from "../params.ts";
import { TokenBucket } from "../token-bucket.ts";

/**
 * Refuses what comes faster than `perSecond`, beyond a burst. Entries of sources that have been quiet for long enough
 * to have their whole burst again are let go of; when the table is full, the oldest gives way.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #maxEntries: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, burst: number, maxEntries: number = MAX_RATE_ENTRIES) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#maxEntries = maxEntries;
  }

  /** Sources that it remembers. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of the address's network, see {@link networkOf}, whatever the port; false if there is none. */
  allow(now: number, source: Address): boolean {
    return this.#bucketOf(now, source).take(now);
  }

  /** Takes all tokens of the address's network, and the next `debt`. */
  drain(now: number, source: Address, debt: number): void {
    this.#bucketOf(now, source).drain(now, debt);
  }

  #bucketOf(now: number, source: Address): TokenBucket {
    const network = networkOf(source.host);
    let bucket = this.#buckets.get(network);
    if (bucket === undefined) {
      for (let i = 0; i < SWEPT_PER_ENTRY; i++) this.#sweepOldest(now);
      if (this.#buckets.size >= this.#maxEntries) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = new TokenBucket(this.#perSecond, this.#burst, now);
      this.#buckets.set(network, bucket);
    }
    return bucket;
  }

  /** Forgets the oldest entry if it says nothing any more, else makes it the youngest. */
  #sweepOldest(now: number): void {
    const [oldest] = this.#buckets;
    if (oldest === undefined) return;
    const [network, bucket] = oldest;
    this.#buckets.delete(network);
    if (!bucket.isFull(now)) this.#buckets.set(network, bucket);
  }
}

/** More than one, so that a table that has grown shrinks again. */
const SWEPT_PER_ENTRY = 2;

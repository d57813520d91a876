/** A token bucket per source address, in a table of bounded size. */
import type { Address } from "../address.ts";
import { TokenBucket } from "../token-bucket.ts";

/** Refuses what comes faster than `perSecond`, beyond a burst. The oldest entry gives way when the table is full. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #maxEntries: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, burst: number, maxEntries: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#maxEntries = maxEntries;
  }

  /** Takes one token of the address's host, whatever the port; false if there is none. */
  allow(now: number, source: Address): boolean {
    let bucket = this.#buckets.get(source.host);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxEntries) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = new TokenBucket(this.#perSecond, this.#burst, now);
      this.#buckets.set(source.host, bucket);
    }
    return bucket.take(now);
  }
}

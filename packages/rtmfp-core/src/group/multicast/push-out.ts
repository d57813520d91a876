/** To whom a member pushes the fragments of a stream as they come. */
import type { MulticastCounters } from "./info.ts";
import type { MediaLink } from "./link.ts";
import { FIRST_GRANTS, GROWTH_MS, LOAD_MS, MAX_GRANTS, MIN_GRANTS, OVERLOAD_MS, SLOW_MS, STRIPES } from "./params.ts";
import type { MulticastStats } from "./stats.ts";

/** What pushing needs of its stream. */
export interface PushOutHost {
  readonly counters: MulticastCounters;
  readonly stats: MulticastStats;
  /** Neighbours to whom each stripe may be pushed. */
  readonly copies: number;
  /** Whether the neighbour pushes the stripe to us. */
  isParent(stripe: number, link: MediaLink): boolean;
}

/**
 * Neighbours ask for stripes; of those who ask, the first get them, up to so many for a stripe and so many in all. Who gets
 * nothing is not told: the wire has no word for it; they see it and ask others.
 */
export class PushOut {
  readonly #host: PushOutHost;
  /** By stripe, those to whom it is pushed, oldest first, and those who wait for it. */
  readonly #pushed: MediaLink[][] = Array.from({ length: STRIPES }, () => []);
  readonly #waiting: MediaLink[][] = Array.from({ length: STRIPES }, () => []);
  #grants = 0;
  readonly #isPublisher: boolean;
  #maxGrants: number;
  #loadAt = 0;
  #calmSince = 0;

  /** A publisher pushes to as many as its copies say; a relay to {@link FIRST_GRANTS} at first, and then to what it can. */
  constructor(host: PushOutHost, isPublisher: boolean) {
    this.#host = host;
    this.#isPublisher = isPublisher;
    this.#maxGrants = isPublisher ? Number.POSITIVE_INFINITY : FIRST_GRANTS;
  }

  /** Stripes pushed, counted once for each neighbour. */
  get grants(): number {
    return this.#grants;
  }

  /** The neighbour wants these stripes, and no others. */
  want(link: MediaLink, mask: number, now: number): void {
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const bit = 1 << stripe;
      if ((mask & bit) === (link.wants & bit)) continue;
      if ((mask & bit) !== 0) this.#waiting[stripe]?.push(link);
      else this.#remove(link, stripe);
    }
    link.wants = mask;
    this.#fill(now);
  }

  /** The neighbour is gone, or wants nothing any more. */
  drop(link: MediaLink, now: number): void {
    this.want(link, 0, now);
  }

  /** A stripe is no longer pushed to a neighbour because it pushes it to us. */
  yield(stripe: number, link: MediaLink): void {
    if ((link.granted & (1 << stripe)) === 0) return;
    this.#remove(link, stripe);
    this.#waiting[stripe]?.push(link);
  }

  /** Sends a fragment to all who get it, but `from` and those who have said to have it. */
  push(id: number, bytes: Uint8Array, from: MediaLink | undefined, withinMs: number): void {
    const { counters, stats } = this.#host;
    for (const link of this.#pushed[id % STRIPES]!) {
      if (link === from || link.has(id)) continue;
      if (!link.sendFragment(bytes, withinMs)) {
        stats.skipped++;
        continue;
      }
      counters.pushedTo++;
      counters.pushedToBytes += bytes.length;
    }
  }

  /** Looks, now and then, at what waits for neighbours, takes stripes from those who do not keep up, and grants what there is room for. */
  tick(now: number, links: readonly MediaLink[]): void {
    const ms = now - this.#loadAt;
    if (ms < LOAD_MS) return;
    this.#loadAt = now;
    let slow = 0;
    let busy = 0;
    for (const link of links) {
      const isBehind = link.isBehind(ms);
      if (link.granted === 0) continue;
      busy++;
      if (!isBehind) continue;
      slow++;
      link.slowUntil = now + SLOW_MS;
      this.#takeNewest(link);
    }
    // A neighbour that takes nothing is slow itself; most of them are because we are.
    const least = this.#isPublisher ? STRIPES : MIN_GRANTS;
    if (slow * 2 > busy) {
      this.#maxGrants = Math.max(least, Math.min(this.#maxGrants, this.#grants));
      this.#calmSince = now + OVERLOAD_MS;
    }
    if (slow > 0) this.#calmSince = Math.max(this.#calmSince, now);
    else if (now - this.#calmSince > GROWTH_MS && this.#grants >= this.#maxGrants) {
      this.#calmSince = now;
      this.#maxGrants = Math.min(MAX_GRANTS, this.#maxGrants + 1);
    }
    this.#fill(now);
  }

  /** Grants what there is room for: first the stripes that the fewest get, to those who get the fewest. */
  #fill(now: number): void {
    const { copies } = this.#host;
    for (let level = 0; level < copies && this.#grants < this.#maxGrants; level++) {
      for (let stripe = 0; stripe < STRIPES && this.#grants < this.#maxGrants; stripe++) {
        if (this.#pushed[stripe]!.length > level) continue;
        const link = this.#nextWaiting(stripe, now);
        if (link !== undefined) this.#grant(link, stripe);
      }
    }
    this.#share(now);
  }

  /** Whoever gets much gives to those who get little, or one that passes nothing on could keep the stream for itself. */
  #share(now: number): void {
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const poor = this.#nextWaiting(stripe, now);
      if (poor === undefined || poor.slowUntil > now) continue;
      const rich = this.#pushed[stripe]!.reduce<MediaLink | undefined>(
        (most, link) => (most === undefined || bitsOf(link.granted) > bitsOf(most.granted) ? link : most),
        undefined,
      );
      if (rich === undefined || bitsOf(rich.granted) < bitsOf(poor.granted) + UNFAIR) continue;
      this.#remove(rich, stripe);
      this.#waiting[stripe]!.push(rich);
      this.#grant(poor, stripe);
    }
  }

  #grant(link: MediaLink, stripe: number): void {
    const waiting = this.#waiting[stripe]!;
    waiting.splice(waiting.indexOf(link), 1);
    this.#pushed[stripe]!.push(link);
    link.granted |= 1 << stripe;
    this.#grants++;
  }

  /** What a publisher pushes to nobody, all pull from it: it pushes to a slow neighbour where there is no other. */
  #nextWaiting(stripe: number, now: number): MediaLink | undefined {
    let best: MediaLink | undefined;
    for (const link of this.#waiting[stripe]!) {
      const isSlow = link.slowUntil > now;
      if ((isSlow && !this.#isPublisher) || this.#host.isParent(stripe, link)) continue;
      const isBetter =
        best === undefined || isSlow === best.slowUntil > now
          ? best === undefined || bitsOf(link.granted) < bitsOf(best.granted)
          : !isSlow;
      if (isBetter) best = link;
    }
    return best;
  }

  #takeNewest(link: MediaLink): void {
    for (let stripe = STRIPES - 1; stripe >= 0; stripe--) {
      if ((link.granted & (1 << stripe)) === 0) continue;
      this.#remove(link, stripe);
      this.#waiting[stripe]!.push(link);
      return;
    }
  }

  #remove(link: MediaLink, stripe: number): void {
    const bit = 1 << stripe;
    const list = (link.granted & bit) !== 0 ? this.#pushed[stripe]! : this.#waiting[stripe]!;
    const at = list.indexOf(link);
    if (at >= 0) list.splice(at, 1);
    if ((link.granted & bit) !== 0) this.#grants--;
    link.granted &= ~bit;
  }
}

/** Stripes that one may not get more than another that waits for one. */
const UNFAIR = 4;

/** How many stripes a mask has. */
export function bitsOf(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

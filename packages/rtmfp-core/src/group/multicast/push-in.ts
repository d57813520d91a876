/** From whom a member has the fragments of a stream pushed: a neighbour for each of the eight stripes. */
import type { FragmentStore } from "./fragment-store.ts";
import type { MediaLink } from "./link.ts";
import {
  FRESH_STALL_MS,
  LEFT_OUT_MS,
  QUICK_FETCH_MS,
  REFUSAL_MS,
  STALL_MS,
  STRIPES,
  TRIAL_GAIN_MS,
  TRIAL_MS,
} from "./params.ts";
import { bitsOf } from "./push-out.ts";
import type { MulticastStats } from "./stats.ts";

/** What choosing needs of its stream. */
export interface PushInHost {
  readonly store: FragmentStore;
  readonly stats: MulticastStats;
  /** From 0 up to, not including, 1. */
  chance(): number;
  /** How reluctantly a neighbour is asked, as if it had everything so much later, ms. */
  doubtMs(link: MediaLink): number;
  /** A neighbour was chosen to push a stripe to us. */
  chosen(stripe: number, link: MediaLink): void;
}

/**
 * A stripe's fragments run down a tree. We hang ourselves below the neighbour that seems to have them first, as its maps
 * tell, and look for another when it does not push, or no longer. A better one is tried while the present one still pushes;
 * whichever brings a fragment first stays.
 */
export class PushIn {
  readonly #host: PushInHost;
  readonly #stripes: Stripe[] = Array.from({ length: STRIPES }, () => new Stripe());
  #trialAt = 0;
  /** When anything was last pushed, or we first sought somebody who would, ms; 0 before. */
  #pushedAt = 0;
  /** A fragment of a stripe comes so often, ms. */
  #intervalMs = 100;
  #measuredAt = 0;
  #measuredId = 0;

  constructor(host: PushInHost) {
    this.#host = host;
  }

  /** Whether the neighbour is the one that pushes a stripe to us. */
  isParent(stripe: number, link: MediaLink): boolean {
    return this.#stripes[stripe]?.parent === link;
  }

  /** A map has come: notes how late the neighbour has what. */
  onMap(link: MediaLink, now: number): void {
    const { store } = this.#host;
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const top = newestOf(stripe, store.newest);
      // Nothing of the stripe is known yet.
      if (top < store.oldest) continue;
      let id = top;
      const end = Math.max(store.oldest, top - LOOK_BACK);
      while (id >= end && !link.has(id)) id -= STRIPES;
      if (id < end) {
        link.refusedUntil[stripe] = Math.max(link.refusedUntil[stripe]!, now + HAS_NOTHING_MS);
        continue;
      }
      // It came between these two times: once it was known, and before the next one, which is not there, was.
      const atMost = now - store.heardAt(id);
      const atLeast = id === top ? 0 : now - store.heardAt(id + STRIPES);
      note(link, stripe, atLeast + Math.min(atMost - atLeast, this.#intervalMs) / 2);
    }
  }

  /** A fragment was pushed; `isNew` unless it was there already. */
  onPushed(id: number, link: MediaLink, isNew: boolean, now: number): void {
    const index = id % STRIPES;
    const stripe = this.#stripes[index]!;
    this.#pushedAt = now;
    if (link === stripe.former && id >= stripe.first) this.#dismiss(stripe, index);
    if (link === stripe.parent) {
      if (stripe.first === 0) stripe.first = id;
      if (id > stripe.pushed) stripe.pushed = id;
      link.refusals = 0;
      if (isNew) note(link, index, now - this.#host.store.heardAt(id));
      return;
    }
    if (link !== stripe.trial) return;
    stripe.trial = undefined;
    if (isNew || stripe.parent === undefined) this.#setParent(index, link, now, id);
    else this.#leave(link, index, now);
  }

  /** The fragment is here, however it came. */
  onHere(id: number): void {
    const stripe = this.#stripes[id % STRIPES]!;
    if (id > stripe.newest) stripe.newest = id;
  }

  /** Leaves a neighbour that is gone. */
  drop(link: MediaLink): void {
    for (const stripe of this.#stripes) {
      if (stripe.parent === link) stripe.leave();
      if (stripe.trial === link) stripe.trial = undefined;
      if (stripe.former === link) stripe.former = undefined;
    }
  }

  /** Wants nothing any more. */
  stop(links: readonly MediaLink[], now: number): void {
    this.#pushedAt = 0;
    for (const link of links) {
      this.drop(link);
      link.asks = 0;
      link.flushAsks(now);
    }
  }

  /** The stream is not as far as it seemed: chooses anew. */
  restart(links: readonly MediaLink[]): void {
    for (const link of links) link.asks = 0;
    this.#stripes.forEach((_, index) => {
      this.#stripes[index] = new Stripe();
    });
    this.#measuredId = 0;
  }

  /** How long a missing fragment is waited for, ms: only what is going to be pushed is worth waiting for. */
  patienceMs(id: number, fetchMs: number, now: number): number {
    const stripe = this.#stripes[id % STRIPES]!;
    const { parent, first, pushed } = stripe;
    if (parent !== undefined && first !== 0 && id > first) {
      // What came after it shows that it was left out, unless it is on its way again.
      return id > pushed ? fetchMs : Math.min(fetchMs, LEFT_OUT_MS + 3 * parent.rttMs);
    }
    if (first !== 0) return Math.min(fetchMs, QUICK_FETCH_MS);
    // Where nobody pushes for long, whoever comes first would be asked by all.
    if (!this.#isPushedTo(now)) return fetchMs;
    return parent === undefined ? 0 : Math.min(fetchMs, QUICK_FETCH_MS);
  }

  /** The least {@link patienceMs} of any fragment. */
  leastPatienceMs(fetchMs: number, now: number): number {
    const isOpen = this.#stripes.some(({ parent }) => parent === undefined);
    return isOpen && this.#isPushedTo(now) ? 0 : Math.min(fetchMs, QUICK_FETCH_MS);
  }

  /** Finds parents for stripes without one, and tries better ones. */
  tick(links: readonly MediaLink[], now: number): void {
    this.#measure(now);
    if (this.#pushedAt === 0) this.#pushedAt = now;
    this.#stripes.forEach((stripe, index) => {
      this.#checkTrial(stripe, index, now);
      if (stripe.former !== undefined && now - stripe.askedAt > FORMER_MS) this.#dismiss(stripe, index);
      if (stripe.parent !== undefined && this.#hasStalled(stripe, index, now)) this.#giveUp(stripe, index, now);
      if (stripe.parent !== undefined) return;
      const link = this.#best(links, index, now);
      if (link !== undefined) this.#setParent(index, link, now, 0);
    });
    if (now - this.#trialAt >= TRIAL_MS) {
      this.#trialAt = now - this.#host.chance() * TRIAL_MS * 0.5;
      this.#startTrial(links, now);
    }
    for (const link of links) link.flushAsks(now);
  }

  #isPushedTo(now: number): boolean {
    return this.#pushedAt === 0 || now - this.#pushedAt <= PUSHED_MS;
  }

  #setParent(index: number, link: MediaLink, now: number, first: number): void {
    const stripe = this.#stripes[index]!;
    this.#dismiss(stripe, index);
    // The one that was tried begins where it was asked: the former goes on up to there.
    if (stripe.parent !== undefined) stripe.former = stripe.parent;
    stripe.parent = link;
    stripe.askedAt = now;
    stripe.first = first;
    stripe.pushed = Math.max(first, newestOf(index, this.#host.store.newest));
    stripe.jitter = this.#host.chance();
    link.asks |= 1 << index;
    this.#host.stats.masks++;
    this.#host.chosen(index, link);
  }

  #dismiss(stripe: Stripe, index: number): void {
    if (stripe.former !== undefined) stripe.former.asks &= ~(1 << index);
    stripe.former = undefined;
  }

  #giveUp(stripe: Stripe, index: number, now: number): void {
    const { parent } = stripe;
    if (parent === undefined) return;
    this.#host.stats.stalls++;
    this.#leave(parent, index, now);
    stripe.leave();
  }

  /** Asks a neighbour no more for a stripe, and for the longer not the more often it did not push. */
  #leave(link: MediaLink, index: number, now: number): void {
    link.asks &= ~(1 << index);
    link.refusedUntil[index] = now + REFUSAL_MS * 2 ** link.refusals * (0.5 + this.#host.chance());
    link.refusals = Math.min(link.refusals + 1, MAX_REFUSALS);
  }

  /** What others have told of is not here, though it is long since it could. */
  #hasStalled(stripe: Stripe, index: number, now: number): boolean {
    const { store } = this.#host;
    const { parent } = stripe;
    const missing = stripe.pushed + STRIPES;
    if (parent === undefined || missing > store.newest) return false;
    const since = missing < store.oldest ? 0 : store.heardAt(missing);
    const waited = now - Math.max(since, stripe.askedAt);
    if (stripe.first === 0) return waited > FRESH_STALL_MS + 2 * parent.rttMs + this.#intervalMs;
    const late = parent.lateness[index]!;
    return waited > STALL_MS * (1 + stripe.jitter / 2) + (Number.isNaN(late) ? 0 : 2 * late);
  }

  #best(links: readonly MediaLink[], index: number, now: number): MediaLink | undefined {
    const { newest } = this.#stripes[index]!;
    let best: MediaLink | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const link of links) {
      if (!link.isUp || link.newest === 0 || link.refusedUntil[index]! > now || (link.asks & (1 << index)) !== 0)
        continue;
      // Whoever has it from us has nothing that we lack.
      if ((link.granted & (1 << index)) !== 0 && !this.#isAhead(link, index, newest)) continue;
      const late = link.lateness[index]!;
      const score = (Number.isNaN(late) ? UNKNOWN_LATENESS_MS : late) + bitsOf(link.asks) * LOAD_PENALTY_MS;
      const drawn = score + this.#host.doubtMs(link) + this.#host.chance() * CHANCE_MS;
      if (drawn >= bestScore) continue;
      best = link;
      bestScore = drawn;
    }
    return best;
  }

  #isAhead(link: MediaLink, index: number, newest: number): boolean {
    const top = newestOf(index, link.newest);
    return top > newest && link.has(top);
  }

  #checkTrial(stripe: Stripe, index: number, now: number): void {
    const { trial } = stripe;
    if (trial === undefined) return;
    if (now - stripe.trialAt < FRESH_STALL_MS + 2 * trial.rttMs + 2 * this.#intervalMs) return;
    stripe.trial = undefined;
    this.#leave(trial, index, now);
  }

  /** Tries the stripe that has most to gain. */
  #startTrial(links: readonly MediaLink[], now: number): void {
    let gain = TRIAL_GAIN_MS;
    let tried: MediaLink | undefined;
    let where = 0;
    this.#stripes.forEach(({ parent, trial, first }, index) => {
      if (parent === undefined || trial !== undefined || first === 0) return;
      const present = parent.lateness[index]!;
      for (const link of links) {
        const isTaken = ((link.granted | link.asks) & (1 << index)) !== 0;
        if (!link.isUp || isTaken || link.refusedUntil[index]! > now) continue;
        const better = present - link.lateness[index]! - this.#host.doubtMs(link);
        if (!(better > gain)) continue;
        gain = better;
        tried = link;
        where = index;
      }
    });
    if (tried === undefined) return;
    const stripe = this.#stripes[where]!;
    stripe.trial = tried;
    stripe.trialAt = now;
    tried.asks |= 1 << where;
    this.#host.stats.masks++;
  }

  /** How often fragments of a stripe come, over the last second or more. */
  #measure(now: number): void {
    const { newest } = this.#host.store;
    const ms = now - this.#measuredAt;
    if (ms < 1_000) return;
    const ids = newest - this.#measuredId;
    if (ids > 0 && this.#measuredId > 0) this.#intervalMs = Math.min(Math.max((ms * STRIPES) / ids, 5), 1_000);
    this.#measuredAt = now;
    this.#measuredId = newest;
  }
}

class Stripe {
  parent: MediaLink | undefined;
  /** When the parent was asked, ms. */
  askedAt = 0;
  /** The first fragment that it pushed; 0 before. */
  first = 0;
  /** The newest fragment that it pushed, or that was known when it was asked. */
  pushed = 0;
  /** The newest fragment of the stripe that is here. */
  newest = 0;
  jitter = 0;
  /** The parent before, until it has pushed up to where the present one began. */
  former: MediaLink | undefined;
  trial: MediaLink | undefined;
  trialAt = 0;

  leave(): void {
    this.parent = undefined;
    this.first = 0;
  }
}

/** The highest id of a stripe that is not above `id`. */
export function newestOf(stripe: number, id: number): number {
  return id - ((id - stripe + STRIPES) % STRIPES);
}

function note(link: MediaLink, stripe: number, ms: number): void {
  const before = link.lateness[stripe]!;
  link.lateness[stripe] = Number.isNaN(before) ? ms : before + (ms - before) * SMOOTHING;
}

/** So long after the last push we believe that there are any, ms. */
const PUSHED_MS = 3_000;
/** A former parent goes on for no longer than this, ms. */
const FORMER_MS = 1_000;
const SMOOTHING = 0.25;
/** Times that {@link REFUSAL_MS} is doubled. */
const MAX_REFUSALS = 3;
/** Fragments of a stripe that a map may lack and still tell something of it. */
const LOOK_BACK: number = 16 * STRIPES;
/** A neighbour whose map has nothing of a stripe is not asked for it before the next map may have come. */
const HAS_NOTHING_MS = 500;
const UNKNOWN_LATENESS_MS = 300;
/** Among equals, the one that pushes less to us. More than a little of this spreads stripes thin: losses show late on idle links. */
const LOAD_PENALTY_MS = 5;
const CHANCE_MS = 60;

/** How far a stream is, though anybody can tell of fragments that there are not. */
import type { MediaLink } from "./link.ts";
import { GOING_MS, LEAD_MS, MAX_AHEAD, MIN_LEAD, TRUST_MS } from "./params.ts";

/**
 * One neighbour alone is not believed where others, whose news grows too, say otherwise: it may be a little ahead of the
 * first of them. Times in ms.
 */
export class Progress {
  /** Ids per ms by which the second of those who are furthest gets on; undefined before that is known. */
  #rate: number | undefined;
  /** What the second had told when that was last looked at, and when it had. */
  #second = 0;
  #secondAt = 0;

  /** A neighbour has told of an id, or sent it. */
  tell(link: MediaLink, id: number, now: number): void {
    if (id <= link.told) return;
    link.told = id;
    link.toldAt = now;
  }

  /** The highest id that a neighbour may tell of or send; `newest` is the highest that has been believed, 0 for none. */
  limit(link: MediaLink, links: readonly MediaLink[], newest: number, now: number): number {
    const others = this.#highest(links, now, link);
    if (others > 0) return others + this.#lead;
    return newest === 0 ? Number.MAX_SAFE_INTEGER : newest + MAX_AHEAD;
  }

  /**
   * The highest id of fragments that are taken from a neighbour: those between it and what is known are looked for at once, so
   * that a false one costs more than a false map.
   */
  fragmentLimit(link: MediaLink, links: readonly MediaLink[], newest: number, now: number): number {
    const others = this.#highest(links, now, link);
    if (others === 0) return this.limit(link, links, newest, now);
    return Math.max(others, newest) + this.#step;
  }

  /** The highest id that a neighbour may say the stream ends with: who tells of an end has told of what came before. */
  endLimit({ told }: MediaLink, newest: number): number {
    return Math.max(told, newest) + (this.#rate === undefined ? FIRST_STEP : this.#lead);
  }

  /**
   * As much of what a neighbour tells as is believed: not much more than others tell, a little more if it brings fragments,
   * and all where there are no others.
   */
  believed(link: MediaLink, told: number, links: readonly MediaLink[], newest: number, now: number): number {
    const others = this.#highest(links, now, link);
    if (others === 0) return told;
    const isTrusted = now - link.broughtAt < TRUST_MS;
    return Math.min(told, isTrusted ? Math.max(others, newest) + this.#step : others + MIN_LEAD);
  }

  /**
   * To be called now and then. The id to go back to where what was believed has turned out to be one neighbour's tale;
   * `given` is the last fragment that has come out.
   */
  check(links: readonly MediaLink[], newest: number, given: number, now: number): number | undefined {
    const going = links.filter((link) => isGoing(link, now)).sort((a, b) => b.told - a.told);
    const doubted = going.slice(0, going.length > MANY ? 2 : 1);
    const [first] = doubted;
    const [second, ...more] = going.slice(doubted.length);
    if (first === undefined || second === undefined) {
      // Nobody who tells of so much is there any more, or gets on.
      const told = first?.told ?? links.reduce((most, link) => Math.max(most, link.told), 0);
      const reached = first === undefined ? told : this.#reach(first, now);
      const most = first === undefined ? MIN_LEAD : this.#rate === undefined ? FIRST_STEP : this.#lead;
      return newest - Math.max(reached, given) > most ? Math.max(told, given) : undefined;
    }
    this.#measure(second);
    const reached = more.reduce((most, link) => Math.max(most, this.#reach(link, now)), this.#reach(second, now));
    if (newest - reached > this.#lead && more.length > 0) {
      for (const link of doubted) if (link === first || link.told - reached > this.#lead) link.disbelieve();
      return second.told;
    }
    // Who brings nothing of what it tells is doubted sooner, but what it has brought was no tale.
    const known = Math.max(second.told, given);
    if (newest - Math.max(reached, known) <= MIN_LEAD || now - Math.max(first.broughtAt, first.knownAt) < DOUBT_MS)
      return undefined;
    first.disbelieve();
    return known;
  }

  get #lead(): number {
    return this.#rate === undefined ? MAX_AHEAD : Math.max(MIN_LEAD, Math.floor(LEAD_MS * this.#rate));
  }

  get #step(): number {
    return this.#rate === undefined ? FIRST_STEP : Math.max(MIN_STEP, Math.floor(STEP_MS * this.#rate));
  }

  /** By the times at which it was told: each tells every few seconds, and the second is now this one, now that. */
  #measure({ told, toldAt }: MediaLink): void {
    const ms = toldAt - this.#secondAt;
    if (ms < MEASURE_MS) return;
    if (this.#second > 0 && told > this.#second)
      this.#rate = Math.max((told - this.#second) / ms, (this.#rate ?? 0) * DECAY);
    this.#second = told;
    this.#secondAt = toldAt;
  }

  /** How far a neighbour is by now: it tells every few seconds, and the stream gets on meanwhile. */
  #reach({ told, toldAt }: MediaLink, now: number): number {
    return told + Math.floor((this.#rate ?? 0) * (now - toldAt));
  }

  /** The furthest of those who get on, but for one; of many the second, lest two who lie confirm each other. */
  #highest(links: readonly MediaLink[], now: number, but: MediaLink): number {
    let [highest, second, count] = [0, 0, 0];
    for (const link of links) {
      if (link === but || !isGoing(link, now)) continue;
      count++;
      second = Math.max(second, this.#reach(link, now));
      if (second > highest) [highest, second] = [second, highest];
    }
    return count >= MANY ? second : highest;
  }
}

function isGoing(link: MediaLink, now: number): boolean {
  return link.told > 0 && now - link.toldAt < GOING_MS;
}

/** Among so many others, two may lie together. */
const MANY = 4;
/** What one neighbour may be ahead of all others with what it brings: as much as comes in this time, ms, and so many at least. */
const STEP_MS = 1_000;
const MIN_STEP = 64;
/** Before it is known how fast the stream is. */
const FIRST_STEP = 512;
const MEASURE_MS = 1_000;
const DECAY = 0.9;
/** Whoever tells of much more than others has so long to bring some of it. */
const DOUBT_MS = 1_000;

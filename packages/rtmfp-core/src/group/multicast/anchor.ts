/** The neighbour whose word decides where copies of a fragment differ. */
import type { MediaLink } from "./link.ts";
import { DEPOSE_MS } from "./params.ts";

/**
 * The key of a stream is random: nobody can announce it before its publisher has, so whoever announced it first is the
 * publisher, or heard of it from there before others did. One hostile neighbour that serves many others can make most of them
 * say what is false, but not that one. It may be hostile itself: if most go on saying otherwise for a while, another takes its
 * place. Times in ms.
 */
export class Anchor {
  #link: MediaLink | undefined;
  /** Since when most others have said otherwise. */
  #outvotedAt: number | undefined;

  /** Undefined where all neighbours were found wrong before. */
  get link(): MediaLink | undefined {
    return this.#link;
  }

  /** Looks who it is among those that are there: the first that announced the stream, but none that was found wrong. */
  find(links: readonly MediaLink[]): void {
    let found: MediaLink | undefined;
    for (const link of links) {
      if (!link.isUp || link.newest === 0 || link.standing.isStruck) continue;
      if (found === undefined || link.announcedAt < found.announcedAt) found = link;
    }
    if (found === this.#link) return;
    this.#link = found;
    this.#outvotedAt = undefined;
  }

  /**
   * Whether its word still decides where its copy differed from others: so many had the same, and so many another one, the same
   * for all of these.
   */
  prevails(agreeing: number, against: number, now: number): boolean {
    if (agreeing >= against || against < MIN_AGAINST) {
      if (agreeing > 0) this.#outvotedAt = undefined;
      return true;
    }
    this.#outvotedAt ??= now;
    return now - this.#outvotedAt < DEPOSE_MS;
  }
}

/** One alone may be the hostile one. */
const MIN_AGAINST = 2;

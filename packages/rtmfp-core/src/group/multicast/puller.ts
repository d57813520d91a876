/** Asks neighbours for fragments that were not pushed. */
import type { FragmentStore } from "./fragment-store.ts";
import type { MediaLink } from "./link.ts";
import { MAX_PULLS, MAX_PULLS_OF_LINK, PULL_RETRY_MS } from "./params.ts";
import type { MulticastStats } from "./stats.ts";

/** What pulling needs of its stream. */
export interface PullerHost {
  readonly store: FragmentStore;
  readonly stats: MulticastStats;
  /** How long a missing fragment is waited for before it is asked for, ms. */
  patienceMs(id: number, now: number): number;
  /** The least of these times, ms. */
  leastPatienceMs(now: number): number;
  /** How reluctantly a neighbour is asked; infinite for one that is not asked at all. */
  doubtMs(link: MediaLink): number;
  /** The longest that an answer is waited for, ms. */
  readonly fetchMs: number;
}

/** Fragments asked for, and of whom. */
export class Puller {
  readonly #host: PullerHost;
  readonly #asked = new Map<number, Pull>();
  /** Nothing below is missing any more. */
  #from = 0;
  #turn = 0;

  constructor(host: PullerHost) {
    this.#host = host;
  }

  /** Fragments that wait for an answer. */
  get pending(): number {
    return this.#asked.size;
  }

  /** The fragment has come; true if `link` was asked for it. */
  onFragment(id: number, link: MediaLink): boolean {
    const pull = this.#asked.get(id);
    if (pull === undefined || (pull.link !== link && !pull.before.includes(link))) return false;
    this.#forget(id, pull);
    return true;
  }

  /** Asks no more of a neighbour that is gone. */
  drop(link: MediaLink): void {
    for (const [id, pull] of this.#asked) {
      pull.before = pull.before.filter((other) => other !== link);
      if (pull.link === link) this.#forget(id, pull);
    }
  }

  /** Asks for one fragment at once, of anybody who has it. */
  first(id: number, links: readonly MediaLink[], now: number): void {
    if (!this.#host.store.has(id) && !this.#asked.has(id)) this.#ask(id, [], links, now);
  }

  /** The stream is not as far as it seemed: asks anew. */
  restart(): void {
    for (const [id, pull] of this.#asked) this.#forget(id, pull);
    this.again();
  }

  /** What was here may be missing again. */
  again(): void {
    this.#from = 0;
  }

  /** Asks for what is missing for too long; what is below `from` is of no use any more. */
  tick(from: number, links: readonly MediaLink[], now: number): void {
    const { store, stats, fetchMs } = this.#host;
    for (const [id, pull] of this.#asked) {
      const isLate = now - pull.at > Math.min(PULL_RETRY_MS + 4 * pull.link.rttMs, fetchMs);
      // Where somebody else has pushed it meanwhile, the answer still comes.
      if (!isLate && id >= store.oldest) continue;
      const isHere = store.has(id);
      if (isLate && !isHere) stats.pullsUnanswered++;
      this.#forget(id, pull);
      if (!isHere && id >= from) this.#ask(id, [...pull.before, pull.link], links, now);
    }
    this.#from = Math.max(this.#from, from, store.oldest);
    while (this.#from <= store.newest && store.has(this.#from)) this.#from++;
    const leastMs = this.#host.leastPatienceMs(now);
    let failures = 0;
    for (let id = this.#from; id <= store.newest && this.#asked.size < MAX_PULLS && failures < MAX_FAILURES; id++) {
      const age = now - store.heardAt(id);
      if (age < leastMs) return;
      if (store.has(id) || this.#asked.has(id) || age < this.#host.patienceMs(id, now)) continue;
      if (!this.#ask(id, [], links, now)) failures++;
    }
  }

  /** False if there is nobody to ask. */
  #ask(id: number, before: readonly MediaLink[], links: readonly MediaLink[], now: number): boolean {
    const link = this.#choose(id, before.at(-1), links);
    if (link === undefined || !link.send({ type: "pull", id })) return false;
    link.pulls++;
    this.#asked.set(id, { link, before, at: now });
    this.#host.stats.pulls++;
    return true;
  }

  /** Whoever has it, is believed and was asked for the least, in turn; not the one that did not answer. */
  #choose(id: number, before: MediaLink | undefined, links: readonly MediaLink[]): MediaLink | undefined {
    let best: MediaLink | undefined;
    let leastDoubt = Number.POSITIVE_INFINITY;
    const turn = this.#turn++;
    for (let i = 0; i < links.length; i++) {
      const link = links[(i + turn) % links.length]!;
      if (link === before || !link.isUp || link.pulls >= MAX_PULLS_OF_LINK || !link.has(id)) continue;
      const doubt = this.#host.doubtMs(link);
      if (doubt > leastDoubt || doubt === Number.POSITIVE_INFINITY) continue;
      if (best !== undefined && doubt === leastDoubt && link.pulls >= best.pulls) continue;
      best = link;
      leastDoubt = doubt;
    }
    return best;
  }

  #forget(id: number, pull: Pull): void {
    this.#asked.delete(id);
    pull.link.pulls--;
  }
}

/** Missing fragments that nobody has, before a tick looks no further. */
const MAX_FAILURES = 1_024;

interface Pull {
  readonly link: MediaLink;
  /** Who were asked before, the last one last: each may still answer. */
  before: readonly MediaLink[];
  readonly at: number;
}

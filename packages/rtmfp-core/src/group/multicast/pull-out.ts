/** Answers neighbours that ask for fragments of a stream. */
import { type FragmentStore, MAX_SLOTS } from "./fragment-store.ts";
import type { MulticastCounters } from "./info.ts";
import type { MediaLink } from "./link.ts";
import { PULLS_PER_SECOND } from "./params.ts";
import type { MulticastSettings } from "./settings.ts";
import type { MulticastStats } from "./stats.ts";

/** What answering needs of its stream. */
export interface PullOutHost {
  readonly store: FragmentStore;
  readonly stats: MulticastStats;
  readonly counters: MulticastCounters;
  readonly settings: MulticastSettings;
}

/** See the head of the file. Times in ms. */
export class PullOut {
  readonly #host: PullOutHost;
  #at = 0;
  #newest = 0;

  constructor(host: PullOutHost) {
    this.#host = host;
  }

  /** A neighbour asks for a fragment, which is sent if it is here and the neighbour takes what it was sent before. */
  answer(link: MediaLink, id: number, now: number): void {
    const { store, stats, counters, settings } = this.#host;
    const bytes = store.get(id);
    if (bytes === undefined) return;
    const leftMs = settings.windowMs + settings.relayMarginMs - (now - store.heardAt(id));
    if (link.waitingBytes > link.roomBytes || !link.sendFragment(bytes, Math.max(1, leftMs))) {
      stats.skipped++;
      return;
    }
    counters.requestedBy++;
    counters.requestedByBytes += bytes.length;
  }

  /** Neighbours may ask for as much as the stream brings. */
  tick(links: readonly MediaLink[], now: number): void {
    const ms = now - this.#at;
    if (ms < 1_000) return;
    const { newest } = this.#host.store;
    const ids = Math.max(0, Math.min(newest - this.#newest, MAX_SLOTS));
    this.#at = now;
    this.#newest = newest;
    for (const link of links) link.refillPulls(ids + (PULLS_PER_SECOND * ms) / 1_000);
  }
}

/** Answers neighbours that ask for fragments of a stream. */
import { type FragmentStore, MAX_SLOTS } from "./fragment-store.ts";
import type { MulticastCounters } from "./info.ts";
import type { MediaLink } from "./link.ts";
import { MIN_PUSH_MS, PULLS_PER_SECOND } from "./params.ts";
import { Room } from "./room.ts";
import type { MulticastSettings } from "./settings.ts";
import type { MulticastStats } from "./stats.ts";

/** What answering needs of its stream. */
export interface PullOutHost {
  readonly store: FragmentStore;
  readonly stats: MulticastStats;
  readonly counters: MulticastCounters;
  readonly settings: MulticastSettings;
  readonly links: readonly MediaLink[];
}

/** See the head of the file. Times in ms. */
export class PullOut {
  readonly #host: PullOutHost;
  readonly #room = new Room();
  #at = 0;
  #newest = 0;

  constructor(host: PullOutHost) {
    this.#host = host;
  }

  /** A neighbour asks for a fragment, which is sent if it is here and the neighbour, and all of them, take what they were sent before. */
  answer(link: MediaLink, id: number, now: number): void {
    const { store, stats, counters, settings, links } = this.#host;
    const bytes = store.get(id);
    if (bytes === undefined) return;
    const keptMs = settings.windowMs + settings.relayMarginMs - (now - store.heardAt(id));
    // Whoever has not got it by then has asked somebody else.
    const withinMs = Math.max(1, Math.min(Math.max(settings.fetchMs, MIN_PUSH_MS), keptMs));
    const isFull = link.waitingBytes > link.roomBytes || this.#room.isFull(links);
    if (isFull || !link.sendFragment(bytes, withinMs)) {
      stats.skipped++;
      return;
    }
    counters.requestedBy++;
    counters.requestedByBytes += bytes.length;
  }

  /** Neighbours may ask for as much as the stream brings. */
  tick(now: number): void {
    const { links, store } = this.#host;
    this.#room.measure(links, now);
    const ms = now - this.#at;
    if (ms < 1_000) return;
    const { newest } = store;
    const ids = Math.max(0, Math.min(newest - this.#newest, MAX_SLOTS));
    this.#at = now;
    this.#newest = newest;
    for (const link of links) link.refillPulls(ids + (PULLS_PER_SECOND * ms) / 1_000);
  }
}

/** Tells neighbours which fragments of a stream are here. */
import type { FragmentStore } from "./fragment-store.ts";
import type { MediaLink } from "./link.ts";
import { STRIPES } from "./params.ts";

/** See the head of the file. */
export class Maps {
  readonly #store: FragmentStore;
  #sentAt = 0;
  /** Whose turn it is. */
  #turn = 0;
  /** What was told last, and the {@link FragmentStore.version} that it tells of. */
  #last: { version: number; newest: number; have: Uint8Array } = { version: -1, newest: 0, have: new Uint8Array(0) };

  constructor(store: FragmentStore) {
    this.#store = store;
  }

  /** Each `updateMs` one neighbour after another, or all of them; those that know nothing yet are told at once. */
  tick(links: readonly MediaLink[], updateMs: number, sendToAll: boolean, now: number): void {
    const periods = Math.floor((now - this.#sentAt) / updateMs);
    if (periods < 1) return;
    this.#sentAt = now;
    for (const link of links) if (link.mapVersion === 0) this.send(link);
    // Where ticks come late, neighbours still get theirs as often.
    let left = sendToAll ? links.length : periods;
    for (let i = 0; i < links.length && left > 0; i++) {
      if (this.send(links[this.#turn++ % links.length]!)) left--;
    }
  }

  /** Tells a neighbour, if that is news to it. */
  send(link: MediaLink): boolean {
    const { version, newestHere, oldest } = this.#store;
    if (newestHere < oldest || link.mapVersion === version) return false;
    // The first goes with the announcement, whether the neighbour wants the stream or not.
    if (!link.isUp && (link.mapVersion !== 0 || !link.isAnnounced)) return false;
    if (this.#last.version !== version) this.#last = { version, ...mapOf(this.#store) };
    link.mapVersion = version;
    const { newest, have } = this.#last;
    return link.send({ type: "map", newest, have });
  }
}

/** What a map tells of a store: bit k of byte j is the fragment 8j + k + 1 before the newest. */
function mapOf(store: FragmentStore): { newest: number; have: Uint8Array } {
  const { newestHere: newest, oldest } = store;
  const have = new Uint8Array(Math.ceil((newest - oldest) / STRIPES));
  let used = 0;
  for (let id = newest - 1; id >= oldest; id--) {
    if (!store.has(id)) continue;
    const before = newest - 1 - id;
    have[before >> 3]! |= 1 << (before & 7);
    used = (before >> 3) + 1;
  }
  return { newest, have: have.subarray(0, used) };
}

/** How much may wait for all neighbours of a stream together. */
import type { MediaLink } from "./link.ts";
import { LOAD_MS, MIN_ROOM_BYTES, ROOM_MS } from "./params.ts";

/**
 * Neighbours share our uplink: where many ask for fragments at a time, as after others have vanished, what waits for each of them
 * may be little and for all of them more than the uplink takes in seconds. What is pushed would wait behind it, and everybody
 * further down the tree with it.
 */
export class Room {
  #bytes: number = MIN_ROOM_BYTES;
  #taken = 0;
  #at = 0;

  /** To be called now and then: looks how much neighbours take. `now` in ms. */
  measure(links: readonly MediaLink[], now: number): void {
    const ms = now - this.#at;
    if (ms < LOAD_MS) return;
    const taken = links.reduce((sum, link) => sum + link.takenBytes, 0);
    // Less than before: a neighbour has gone.
    this.#bytes = MIN_ROOM_BYTES + (Math.max(0, taken - this.#taken) * ROOM_MS) / ms;
    this.#taken = taken;
    this.#at = now;
  }

  /** Whether more waits than they take within a moment. */
  isFull(links: readonly MediaLink[]): boolean {
    return links.reduce((sum, link) => sum + link.waitingBytes, 0) > this.#bytes;
  }
}

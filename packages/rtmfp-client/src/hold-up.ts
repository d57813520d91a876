/** Waiting for those who take the tags of a live stream. */
import type { Clock } from "./clock.ts";

/** Waits until they have room, but in all no longer than a second until the stream is in time again: then they miss some. */
export class HoldUp {
  readonly #clock: Clock;
  /** How long they have held it up since it was last in time; ms. */
  #heldMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The stream is not late. */
  inTime(): void {
    this.#heldMs = 0;
  }

  /** Resolves with `ready`, or when there is no more patience. */
  async wait(ready: Promise<unknown>): Promise<void> {
    const left = MAX_HELD_MS - this.#heldMs;
    if (left <= 0) return;
    const since = this.#clock.now();
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(left, resolve);
    });
    await Promise.race([ready, patience]);
    cancel();
    this.#heldMs += this.#clock.now() - since;
  }
}

/** How late live media may get before those who hold it up are left behind; ms. */
const MAX_HELD_MS = 1_000;

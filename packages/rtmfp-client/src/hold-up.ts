/** Waiting for those who take the tags of a live stream. */
import type { Clock } from "./clock.ts";

/**
 * Waits until they have room, but in all no longer than a second until the stream is in time again: then they miss some. It is
 * late by what they have held it up, less what it has caught up since; how late it comes is its source's affair.
 */
export class HoldUp {
  readonly #clock: Clock;
  /** How long they have held it up since it was last in time; ms. */
  #heldMs = 0;
  /** How late it is because of them; ms. */
  #lateMs = 0;
  /** The latest timestamp. */
  #latest: number | undefined;
  /** How long the tags since the latest timestamp were waited for; ms. */
  #awaitedMs = 0;
  /** When the last tag went. */
  #wentAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wentAt = clock.now();
  }

  /** Resolves with `ready`, or when there is no more patience. `timestamp` is that of the tag that goes then. */
  async wait(ready: Promise<unknown>, timestamp: number): Promise<void> {
    this.#catchUp(timestamp);
    const left = MAX_HELD_MS - this.#heldMs;
    if (left <= 0) return;
    const since = this.#wentAt;
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(left, resolve);
    });
    await Promise.race([ready, patience]);
    cancel();
    this.#wentAt = this.#clock.now();
    this.#heldMs += this.#wentAt - since;
    this.#lateMs += this.#wentAt - since;
  }

  #catchUp(timestamp: number): void {
    const now = this.#clock.now();
    this.#awaitedMs += now - this.#wentAt;
    this.#wentAt = now;
    const step = this.#latest === undefined ? 0 : (timestamp - this.#latest) | 0;
    // Sound and pictures do not come in the order of their time.
    if (this.#latest !== undefined && step <= 0 && step >= -MAX_STEP_MS) return;
    if (step > 0 && step <= MAX_STEP_MS) this.#lateMs -= Math.max(0, step - this.#awaitedMs);
    this.#lateMs = Math.max(0, this.#lateMs);
    this.#latest = timestamp;
    this.#awaitedMs = 0;
    if (this.#lateMs < SLACK_MS) this.#heldMs = 0;
  }
}

/** How late live media may get before those who hold it up are left behind; ms. */
const MAX_HELD_MS = 1_000;
/** Timers and networks are no more exact. */
const SLACK_MS = 100;
/** A larger step between timestamps is a new beginning. */
const MAX_STEP_MS = 10_000;

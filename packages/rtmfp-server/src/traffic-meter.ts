/** How many messages and bytes have passed, in all and per second of late. */

/** Messages and bytes in one direction. */
export interface TrafficStats {
  /** Messages since the beginning. */
  readonly messages: number;
  /** Bytes of these, without the headers of messages and packets. */
  readonly bytes: number;
  /** Messages per second, on average over the last 15 s, or since the beginning if that is shorter. */
  readonly messagesPerSecond: number;
  /** Bytes per second, likewise. */
  readonly bytesPerSecond: number;
}

/** Counts in slots of one second, so that counting costs two additions, and nothing runs while nothing passes. */
export class TrafficMeter {
  readonly #begun: number;
  readonly #slotMessages = new Float64Array(SLOTS);
  readonly #slotBytes = new Float64Array(SLOTS);
  #slot: number;
  #messages = 0;
  #bytes = 0;

  /** `now` is monotonic ms, here and below. */
  constructor(now: number) {
    this.#begun = now;
    this.#slot = Math.floor(now / SLOT_MS);
  }

  /** One message has passed. */
  count(now: number, bytes: number): void {
    this.#advance(now);
    this.#messages++;
    this.#bytes += bytes;
    const at = this.#slot % SLOTS;
    this.#slotMessages[at] = (this.#slotMessages[at] as number) + 1;
    this.#slotBytes[at] = (this.#slotBytes[at] as number) + bytes;
  }

  snapshot(now: number): TrafficStats {
    this.#advance(now);
    const seconds = Math.min(now - this.#begun, (SLOTS - 1) * SLOT_MS + (now % SLOT_MS)) / 1_000;
    const perSecond = (slots: Float64Array): number =>
      seconds <= 0 ? 0 : slots.reduce((sum, count) => sum + count, 0) / seconds;
    return {
      messages: this.#messages,
      bytes: this.#bytes,
      messagesPerSecond: perSecond(this.#slotMessages),
      bytesPerSecond: perSecond(this.#slotBytes),
    };
  }

  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    for (let passed = Math.max(this.#slot, slot - SLOTS) + 1; passed <= slot; passed++) {
      this.#slotMessages[passed % SLOTS] = 0;
      this.#slotBytes[passed % SLOTS] = 0;
    }
    this.#slot = Math.max(this.#slot, slot);
  }
}

const SLOT_MS = 1_000;
/** The present second and the 15 before it, of which the average is taken. */
const SLOTS = 16;

/**
 * Pacing: what the congestion window permits leaves spread over half a round trip rather than at once, after idle times
 * and large acknowledgements. An addition within the RFC's sending rules (§3.5.2.3). § means RFC 7016.
 */
import { BURST_PACKETS } from "./params.ts";

/** The pacer of a session's sending side. */
export class Pacer {
  /** When it lets out the packet that it held back, or Infinity. */
  at: number = Number.POSITIVE_INFINITY;
  /** Bytes that may leave at once; what is sent beyond is a debt to wait for. */
  #credit = 0;
  #countedAt: number = Number.NEGATIVE_INFINITY;

  /**
   * True if a packet may leave now, with a window of so many bytes per round trip of `srtt` ms and packets of up to
   * `packetBytes`. Without a round trip to spread them over, all may.
   */
  allows(now: number, window: number, srtt: number | undefined, packetBytes: number): boolean {
    if (this.#credit > 0) return true;
    if (srtt === undefined) return true;
    const rate = (GAIN * window) / srtt;
    const quantum = Math.max(BURST_PACKETS * packetBytes, rate * QUANTUM_MS);
    this.#credit = Math.min(quantum, this.#credit + rate * (now - this.#countedAt));
    this.#countedAt = now;
    if (this.#credit > 0) return true;
    this.at = now + Math.max(TIMER_MS, -this.#credit / rate);
    return false;
  }

  /** A packet with so many bytes of user data left. */
  onSent(bytes: number): void {
    this.#credit -= bytes;
  }
}

/** Twice the rate that fills the window once per round trip: a window that doubles meanwhile is filled as well. */
const GAIN = 2;
/** Time whose worth of data may leave at once, if that is more than six packets. */
const QUANTUM_MS = 1;
/** Timers are no finer. */
const TIMER_MS = 1;

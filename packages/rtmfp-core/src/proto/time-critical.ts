/** Memory of time-critical traffic across an endpoint's sessions (§3.5.2.1). § means RFC 7016. */
import { TIME_CRITICAL_MS } from "./params.ts";

/** Who sent and received packets with the TC flag lately. Holders are sessions, compared by identity. */
export class TimeCriticalMemory {
  #sentAt: number = Number.NEGATIVE_INFINITY;
  #receiver: unknown = undefined;
  #receivedAt: number = Number.NEGATIVE_INFINITY;
  /** Last receipt by a session other than the latest receiver. */
  #receivedElsewhereAt: number = Number.NEGATIVE_INFINITY;

  onSent(now: number): void {
    this.#sentAt = now;
  }

  onReceived(session: unknown, now: number): void {
    if (session !== this.#receiver) {
      this.#receivedElsewhereAt = this.#receivedAt;
      this.#receiver = session;
    }
    this.#receivedAt = now;
  }

  /** Some session sent TC within the last 800 ms. */
  sentLately(now: number): boolean {
    return now - this.#sentAt < TIME_CRITICAL_MS;
  }

  /** A session other than this one received TC within the last 800 ms: its packets carry TCR. */
  receivedElsewhere(session: unknown, now: number): boolean {
    const at = session === this.#receiver ? this.#receivedElsewhereAt : this.#receivedAt;
    return now - at < TIME_CRITICAL_MS;
  }
}

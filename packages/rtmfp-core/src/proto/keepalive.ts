/** When an idle session pings, and when silence means death (§3.5.4.1, AMB-23). § means RFC 7016. */
import { KEEPALIVE_GRACE_MS, KEEPALIVE_LOST_PINGS, KEEPALIVE_MIN_MS } from "./params.ts";

/** Keepalive state of a session. Any verified packet is a sign of life. */
export class Keepalive {
  /** Idle time before a Ping, ms; 0 is no keepalive. */
  #periodMs: number;
  #lastHeard: number;
  #lastPing: number = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #speakBy: number = Number.POSITIVE_INFINITY;

  constructor(periodMs: number, now: number) {
    this.#periodMs = periodMs;
    this.#lastHeard = now;
  }

  get periodMs(): number {
    return this.#periodMs;
  }

  /** Pings since the last sign of life. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Sets the period, not below 5 s (RFC 7425 §5.3.4); 0 turns keepalive off. */
  setPeriod(periodMs: number): void {
    this.#periodMs = periodMs <= 0 ? 0 : Math.max(periodMs, KEEPALIVE_MIN_MS);
  }

  heard(now: number): void {
    this.#lastHeard = now;
    this.#unanswered = 0;
  }

  /** The far end may be gone: ask soon. */
  suspect(now: number): void {
    if (this.#periodMs > 0) this.#lastHeard = Math.min(this.#lastHeard, now - this.#periodMs);
  }

  /**
   * We speak by then, though there be nothing to say: responders bound the sessions of one address in which nothing was
   * said, and many honest ones may be behind a NAT.
   */
  speakBy(at: number): void {
    this.#speakBy = at;
  }

  /** What is due: a Ping, the verdict that the session is dead, or nothing. `silent` is true until we first send. */
  check(now: number, erto: number, silent: boolean): "ping" | "dead" | undefined {
    if (now >= this.#speakBy) {
      this.#speakBy = Number.POSITIVE_INFINITY;
      if (silent) return "ping";
    }
    if (now < this.nextDeadline(erto)) return undefined;
    if (this.#unanswered >= KEEPALIVE_LOST_PINGS && now >= this.#lastHeard + this.#periodMs + KEEPALIVE_GRACE_MS)
      return "dead";
    this.#unanswered++;
    this.#lastPing = now;
    return "ping";
  }

  /** When to check next; Pings are at least ERTO apart. */
  nextDeadline(erto: number): number {
    if (this.#periodMs === 0) return this.#speakBy;
    const ask =
      this.#unanswered === 0
        ? this.#lastHeard + this.#periodMs
        : this.#lastPing + Math.max(erto, KEEPALIVE_GRACE_MS / (KEEPALIVE_LOST_PINGS + 1));
    return Math.min(ask, this.#speakBy);
  }
}

/** Timestamp echo, round-trip time and retransmission timeout of a session (§3.5.2.2). § means RFC 7016. */
import {
  DELAYED_ACK_ALLOWANCE_MS,
  ECHO_AGE_MS,
  ERTO_BACKOFF,
  ERTO_INITIAL_MS,
  ERTO_MAX_MS,
  ERTO_MIN_MS,
  MAX_RTT_TICKS,
  TICK_MS,
} from "./params.ts";

/** The variables carry the RFC's names; times are milliseconds of the endpoint's clock, timestamps are ticks. */
export class RoundTripTimer {
  /** Last timestamp received, or -1. */
  tsRx = -1;
  tsRxTime: number = Number.NEGATIVE_INFINITY;
  /** Last echo sent, or -1. */
  tsEchoTx = -1;
  /** Last timestamp sent, or -1. */
  tsTx = -1;
  /** Last echo received, or -1. */
  tsEchoRx = -1;
  /** Smoothed round-trip time in ms; undefined before the first sample. */
  srtt: number | undefined = undefined;
  /** What the handshake took, ms: a guess for the tail-loss probe until there is a sample (AMB-38). */
  hint: number | undefined = undefined;
  rttvar = 0;
  /** Least sample so far, ms; 0 before the first. */
  #least = 0;
  mrto: number = ERTO_MIN_MS;
  erto: number = ERTO_INITIAL_MS;

  /**
   * Takes the timestamp of an accepted packet; an equal one does not refresh the time. True if a later packet has come
   * before: this one tells how long it was held up, not what the path takes, so that its echo is no sample.
   */
  onTimestamp(timestamp: number, now: number): boolean {
    if (timestamp === this.tsRx) return false;
    const isLater = ((timestamp - this.tsRx) & 0xffff) <= MAX_RTT_TICKS;
    const overtaken = this.tsRx >= 0 && now - this.tsRxTime <= ECHO_AGE_MS && !isLater;
    this.tsRx = timestamp;
    this.tsRxTime = now;
    return overtaken;
  }

  /** Takes a timestamp echo of an accepted packet; one of what was sent before `sentAfter` is no sample. */
  onEcho(echo: number, now: number, sentAfter: number = Number.NEGATIVE_INFINITY): void {
    if (echo === this.tsEchoRx) return;
    this.tsEchoRx = echo;
    const ticks = (tick(now) - echo) & 0xffff;
    if (ticks > MAX_RTT_TICKS) return;
    const rtt = ticks * TICK_MS;
    if (rtt > now - sentAfter) return;
    this.#least = this.srtt === undefined ? rtt : Math.min(this.#least, rtt);
    if (this.srtt === undefined) {
      this.srtt = rtt;
      this.rttvar = rtt / 2;
    } else {
      this.rttvar = (3 * this.rttvar + Math.abs(this.srtt - rtt)) / 4;
      this.srtt = (7 * this.srtt + rtt) / 8;
    }
    this.mrto = this.srtt + 4 * this.rttvar + DELAYED_ACK_ALLOWANCE_MS;
    this.erto = Math.max(this.mrto, ERTO_MIN_MS);
  }

  /** No packet has ever been answered sooner, ms; the ticks at both ends may have made a sample so much too large. */
  get leastPossible(): number {
    return this.#least - 2 * TICK_MS;
  }

  /**
   * The round trip to spread packets over; undefined before a sample, and once one was shorter than a tick: between
   * hosts side by side, what makes it longer is how busy they are.
   */
  get pacedRtt(): number | undefined {
    return this.#least >= TICK_MS ? this.srtt : undefined;
  }

  /** Timestamp for the packet being sent, or undefined if the tick was already sent. */
  takeTimestamp(now: number): number | undefined {
    const ts = tick(now);
    if (ts === this.tsTx) return undefined;
    this.tsTx = ts;
    return ts;
  }

  /** Echo for the packet being sent, or undefined if there is none or it was already sent. */
  takeEcho(now: number): number | undefined {
    if (this.tsRx < 0) return undefined;
    if (now - this.tsRxTime > ECHO_AGE_MS) {
      this.tsRx = -1;
      this.tsEchoTx = -1;
      return undefined;
    }
    const echo = (this.tsRx + Math.floor((now - this.tsRxTime) / TICK_MS)) & 0xffff;
    if (echo === this.tsEchoTx) return undefined;
    this.tsEchoTx = echo;
    return echo;
  }

  /** ERTO backoff after a timeout with loss. */
  backOff(): void {
    this.erto = Math.max(Math.min(this.erto * ERTO_BACKOFF, ERTO_MAX_MS), this.mrto);
  }
}

/** Low 16 bits of the 250 Hz clock. */
function tick(now: number): number {
  return Math.floor(now / TICK_MS) & 0xffff;
}

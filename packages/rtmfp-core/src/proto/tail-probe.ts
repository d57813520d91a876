/**
 * Tail-loss probe: one packet sent again when a flight stays without any acknowledgement, well before the timeout of
 * §3.6.2.6, so that losses at its end are found by the answer. An addition within the RFC's sending rules: a probe
 * needs no budget, is no timeout, and there is at most one per flight. § means RFC 7016.
 */
import { DELAYED_ACK_ALLOWANCE_MS, TAIL_PROBE_MIN_MS } from "./params.ts";
import type { RoundTripTimer } from "./rtt.ts";

/** The probe timer of a session's sending side. */
export class TailProbe {
  /** When to probe, or Infinity. */
  at: number = Number.POSITIVE_INFINITY;
  /** A probe is to go out with the next packet. */
  due = false;
  /** First transmission number of the probe that is in flight, or 0. */
  #tsn = 0;
  readonly #enabled: boolean;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** A packet with user data went out; `tsn` is its first transmission number. */
  onSent(tsn: number, now: number, rtt: RoundTripTimer, alone: boolean): void {
    if (this.due) {
      this.due = false;
      this.#tsn = tsn;
      this.at = Number.POSITIVE_INFINITY;
    } else if (this.#tsn === 0) this.#arm(now, rtt, alone);
  }

  /** Acknowledgements came; `progress` if they covered something in flight. */
  onAck(waiting: boolean, progress: boolean, now: number, rtt: RoundTripTimer, alone: boolean): void {
    if (!waiting) this.reset();
    else if (progress) {
      this.#tsn = 0;
      this.due = false;
      this.#arm(now, rtt, alone);
    }
  }

  /** If the probe in flight is acknowledged: its number, below which everything still in flight is lost; else 0. */
  ackedTsn(maxTsnAck: number): number {
    return this.#tsn !== 0 && maxTsnAck >= this.#tsn ? this.#tsn : 0;
  }

  /** The time has come; false if a probe is already on its way. */
  fire(): boolean {
    this.at = Number.POSITIVE_INFINITY;
    if (this.#tsn !== 0) return false;
    this.due = true;
    return true;
  }

  reset(): void {
    this.at = Number.POSITIVE_INFINITY;
    this.due = false;
    this.#tsn = 0;
  }

  /** After two round trips, and the far end's delay if a single packet is out. Not before there is an idea of the RTT. */
  #arm(now: number, rtt: RoundTripTimer, alone: boolean): void {
    const { srtt, hint, erto } = rtt;
    const wait =
      Math.max(2 * (srtt ?? hint ?? Number.POSITIVE_INFINITY), TAIL_PROBE_MIN_MS) +
      (alone ? DELAYED_ACK_ALLOWANCE_MS : 0);
    this.at = this.#enabled && wait < erto ? now + wait : Number.POSITIVE_INFINITY;
  }
}

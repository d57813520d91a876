/**
 * The default congestion control: Appendix A, with CUBIC (RFC 9438) in place of its growth and decrease for bulk data.
 * Those jump at 67,200 bytes, from half of the window lost to an eighth, and grow by a share of the window above: of two
 * sessions, the one beyond that mark keeps what it has. CUBIC's differ nowhere and converge. What time-critical data
 * asks for, slow start and timeouts are Appendix A's. § means RFC 7016.
 */
import type { AckEvent } from "./controller.ts";
import { Rfc7016Congestion } from "./rfc7016.ts";

/** Names as in RFC 9438 where they differ from §A.2; sizes in bytes, times in ms. */
export class CubicCongestion extends Rfc7016Congestion {
  /** W_max: where the window was at the last loss, or less if it was lower than at the one before. */
  #wMax = 0;
  /** cwnd_prior: where it was at the last loss. */
  #prior = 0;
  /** W_est: what TCP's additive increase would have made of it since. */
  #wEst = 0;
  /** Since when the window has grown, or undefined; time in which it was not used does not count. */
  #epochStart: number | undefined;
  /** K: how long after that it reaches W_max. */
  #k = 0;
  #lastAckAt = 0;

  /** As Appendix A; keeps the time that the cubic function goes by. */
  override onAck(event: AckEvent): void {
    if (event.lost) this.#onLoss(event.preAckOutstanding);
    else if (!event.fastGrowAllowed) this.#epochStart = undefined;
    else if (this.#epochStart !== undefined && event.preAckOutstanding < this.cwnd) {
      this.#epochStart += event.now - this.#lastAckAt;
    }
    this.#lastAckAt = event.now;
    super.onAck(event);
  }

  /** As Appendix A; where the last loss was is forgotten (RFC 9438 §4.8). */
  override onTimeout(lost: boolean): void {
    super.onTimeout(lost);
    this.#epochStart = undefined;
    this.#wMax = 0;
  }

  protected override keptOnLoss(event: AckEvent): number {
    if (event.timeCriticalSent || !event.fastGrowAllowed) return super.keptOnLoss(event);
    return this.cwnd < this.ssthresh ? 1 / 2 : BETA;
  }

  /** RFC 9438 §4.2 to §4.5: the larger of the cubic function of time and of TCP's window. */
  protected override fastIncrease(event: AckEvent): number {
    const { cwnd, smss } = this;
    if (this.#epochStart === undefined) this.#startEpoch(event.now);
    const roundTrips = event.ackedBytes / cwnd;
    this.#wEst += (this.#wEst < this.#prior ? ALPHA : 1) * smss * roundTrips;
    const seconds = (event.now - (this.#epochStart as number) - this.#k) / 1_000;
    const cubic = this.#wMax + C * seconds ** 3 * smss;
    if (cubic < this.#wEst) return Math.max(0, this.#wEst - cwnd);
    return Math.max(0, (Math.min(cubic, 1.5 * cwnd) - cwnd) * roundTrips);
  }

  /** RFC 9438 §4.7: who has less than at the loss before makes room for others. */
  #onLoss(outstanding: number): void {
    this.#wMax = outstanding < this.#wMax ? (outstanding * (1 + BETA)) / 2 : outstanding;
    this.#prior = outstanding;
    this.#epochStart = undefined;
  }

  #startEpoch(now: number): void {
    this.#epochStart = now;
    this.#wMax = Math.max(this.#wMax, this.cwnd);
    this.#wEst = this.cwnd;
    this.#k = 1_000 * Math.cbrt((this.#wMax - this.cwnd) / this.smss / C);
  }
}

/** β_cubic: what a loss leaves of the window. */
const BETA = 0.7;
/** α_cubic (RFC 9438 §4.3): with {@link BETA}, as much on average as one segment per round trip and halving. */
const ALPHA: number = (3 * (1 - BETA)) / (1 + BETA);
/** Segments per cubic second. */
const C = 0.4;

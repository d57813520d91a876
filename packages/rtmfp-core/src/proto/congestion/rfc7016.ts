/** The congestion control of Appendix A: TCP-like, with time-critical yield. § means RFC 7016. */
import type { AckEvent, CongestionController } from "./controller.ts";

/** Names as in §A.2; sizes in bytes. */
export class Rfc7016Congestion implements CongestionController {
  /** Congestion window, bytes. */
  cwnd: number = CWND_INIT;
  /** Slow start ends at this window, bytes. */
  ssthresh: number = Number.POSITIVE_INFINITY;
  /** Acknowledged bytes that have not yet counted toward an increase. */
  ackedBytesAccumulator = 0;
  #smss = SMSS;
  #cwndInit = CWND_INIT;

  get window(): number {
    return this.cwnd;
  }

  onTimeout(lost: boolean): void {
    this.ssthresh = Math.max(this.ssthresh, this.cwnd * 0.75);
    this.ackedBytesAccumulator = 0;
    this.cwnd = lost ? this.#smss : this.#cwndInit;
  }

  /** Larger segments than the RFC's examples count as one still; the initial window is that of RFC 5681 §3.1. */
  onDatagramBytes(bytes: number): void {
    this.#smss = Math.max(bytes, SMSS);
    this.#cwndInit = this.#smss > LARGE_SMSS ? 2 * this.#smss : Math.max(CWND_INIT, 3 * this.#smss);
    this.cwnd = Math.max(this.cwnd, this.#smss);
  }

  onAck(event: AckEvent): void {
    if (event.lost) {
      this.ssthresh = Math.max(event.preAckOutstanding * this.keptOnLoss(event), this.#cwndInit);
      this.cwnd = this.ssthresh;
      this.ackedBytesAccumulator = 0;
      return;
    }
    if (event.ackedBytes === 0 || event.nak || event.preAckOutstanding < this.cwnd) return;
    // §A.2 caps growth at SMSS per acknowledgement and expects one for every second packet; one that stands for more
    // packets grows the window as those would have.
    const cap = this.#smss * Math.max(1, Math.ceil(event.ackedBytes / (2 * this.#smss)));
    this.cwnd = Math.max(this.cwnd + Math.min(this.#increase(event), cap), this.#cwndInit);
  }

  /** Share of what is outstanding that a loss leaves of the window. */
  protected keptOnLoss(event: AckEvent): number {
    const gentle = event.timeCriticalSent || (event.preAckOutstanding > GENTLE_OUTSTANDING && event.fastGrowAllowed);
    return gentle ? 7 / 8 : 1 / 2;
  }

  /** Growth beyond the threshold where no time-critical data asks for restraint. */
  protected fastIncrease(event: AckEvent): number {
    return this.#perThreshold(event.ackedBytes, 48, 4800);
  }

  /** Sender Maximum Segment Size. */
  protected get smss(): number {
    return this.#smss;
  }

  #increase(event: AckEvent): number {
    const slowStart = this.cwnd < this.ssthresh;
    if (event.fastGrowAllowed) return slowStart ? event.ackedBytes : this.fastIncrease(event);
    if (event.timeCriticalSent) {
      return slowStart ? Math.ceil(event.ackedBytes / 4) : this.#perThreshold(event.ackedBytes, 24, 2400);
    }
    return this.#perThreshold(event.ackedBytes, 24, 4800);
  }

  /** `step` bytes for every AITHRESH bytes acknowledged. */
  #perThreshold(ackedBytes: number, step: number, cap: number): number {
    const threshold = Math.min(Math.max(this.cwnd / 16, 64), cap);
    this.ackedBytesAccumulator += ackedBytes;
    const steps = Math.floor(this.ackedBytesAccumulator / threshold);
    this.ackedBytesAccumulator -= steps * threshold;
    return steps * step;
  }
}

/** §A.2 names these values as examples. */
const SMSS = 1460;
const CWND_INIT = 4380;
/** RFC 5681 §3.1: above it, the initial window is two segments rather than three. */
const LARGE_SMSS = 2190;
/** 7/8 of the window at which 1 percent equals 768 bytes (§A.1). */
const GENTLE_OUTSTANDING = 67_200;

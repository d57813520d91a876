import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { AckEvent } from "../../../src/proto/congestion/controller.ts";
import { CubicCongestion } from "../../../src/proto/congestion/cubic.ts";

/** A controller with that window, beyond slow start. */
function at(cwnd: number): CubicCongestion {
  const control = new CubicCongestion();
  control.cwnd = cwnd;
  control.ssthresh = cwnd;
  return control;
}

function event(change: Partial<AckEvent>): AckEvent {
  return {
    now: 0,
    ackedBytes: 2_400,
    preAckOutstanding: 1e9,
    lost: false,
    nak: false,
    timeCriticalSent: false,
    fastGrowAllowed: true,
    ...change,
  };
}

/** Acknowledges what fills the window, in round trips of `rttMs` from `start` to `end`; `step` bytes each time. */
function grow(control: CubicCongestion, start: number, end: number, rttMs: number, step = 2_400): void {
  for (let now = start; now < end; now += (rttMs * step) / control.cwnd)
    control.onAck(event({ now, ackedBytes: step, preAckOutstanding: control.cwnd }));
}

describe("congestion control for bulk data", () => {
  for (const outstanding of [20_000, 67_200, 67_201, 500_000]) {
    it(...rfc("R7016-3.5.2-01"), `on loss keeps 0.7 of ${outstanding} outstanding`, () => {
      const control = at(outstanding);
      control.onAck(event({ lost: true, preAckOutstanding: outstanding }));
      expect(control.cwnd).toBeCloseTo(0.7 * outstanding);
    });
  }

  it(...rfc("R7016-3.5.2-03"), "keeps half when slow start ends by loss", () => {
    const control = at(50_000);
    control.ssthresh = Number.POSITIVE_INFINITY;
    control.onAck(event({ lost: true, preAckOutstanding: 60_000 }));
    expect(control.cwnd).toBe(30_000);
  });

  for (const [timeCriticalSent, share] of [
    [true, 7 / 8],
    [false, 1 / 2],
  ] as const) {
    it(`keeps ${share} as Appendix A does where time-critical data is about (ours: ${timeCriticalSent})`, () => {
      const control = at(400_000);
      control.onAck(event({ lost: true, preAckOutstanding: 400_000, timeCriticalSent, fastGrowAllowed: false }));
      expect(control.cwnd).toBe(share * 400_000);
      for (let now = 0; now < 60_000; now += 100)
        control.onAck(event({ now, ackedBytes: 2_400, timeCriticalSent, fastGrowAllowed: false }));
      const steps = (600 * 2_400) / (timeCriticalSent ? 2_400 : 4_800);
      expect(control.cwnd - share * 400_000).toBeCloseTo(24 * steps, -3);
    });
  }

  it("grows by about 773 bytes per round trip where that is more than the cubic function", () => {
    for (const step of [1_200, 2_400, 9_600]) {
      const control = at(60_000);
      control.onAck(event({ lost: true, preAckOutstanding: 60_000 }));
      const from = control.cwnd;
      grow(control, 0, 100, 10, step);
      expect(control.cwnd - from).toBeGreaterThan(0.85 * 7_730);
      expect(control.cwnd - from).toBeLessThan(1.1 * 7_730);
    }
  });

  it("is back where the loss was after K, and slow around it", () => {
    const control = at(1_000_000);
    control.onAck(event({ lost: true, preAckOutstanding: 1_000_000 }));
    const k = 1_000 * Math.cbrt((0.3 * 1_000_000) / 1_460 / 0.4);
    grow(control, 0, k / 2, 100);
    expect(control.cwnd).toBeGreaterThan(950_000);
    grow(control, k / 2, k, 100);
    expect(control.cwnd).toBeGreaterThan(990_000);
    expect(control.cwnd).toBeLessThan(1_001_000);
    grow(control, k, 2 * k, 100);
    expect(control.cwnd).toBeGreaterThan(1_200_000);
  });

  it("does not count time in which the window was not used", () => {
    const control = at(1_000_000);
    control.onAck(event({ lost: true, preAckOutstanding: 1_000_000 }));
    grow(control, 0, 1_000, 100);
    const from = control.cwnd;
    for (let now = 1_000; now < 60_000; now += 100) control.onAck(event({ now, preAckOutstanding: 10_000 }));
    grow(control, 60_000, 60_100, 100);
    expect(control.cwnd - from).toBeLessThan(0.05 * from);
  });

  it("takes a second loss below the first for a sign of others, and aims lower", () => {
    const [kept, lowered] = [1, 0.8].map((share) => {
      const control = at(1_000_000);
      control.onAck(event({ lost: true, preAckOutstanding: 1_000_000 }));
      control.onAck(event({ lost: true, preAckOutstanding: share * 1_000_000 }));
      const from = control.cwnd;
      grow(control, 0, 5_000, 100);
      return control.cwnd / from;
    }) as [number, number];
    expect(lowered).toBeLessThan(0.95 * kept);
  });

  it("forgets after a timeout where the last loss was", () => {
    const control = at(1_000_000);
    control.onAck(event({ lost: true, preAckOutstanding: 1_000_000 }));
    control.onTimeout(true);
    expect(control.cwnd).toBe(1_460);
    control.ssthresh = 100_000;
    control.cwnd = 100_000;
    grow(control, 0, 500, 100);
    expect(control.cwnd).toBeLessThan(106_000);
  });
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { AckEvent } from "../../../src/proto/congestion/controller.ts";
import { Rfc7016Congestion } from "../../../src/proto/congestion/rfc7016.ts";

const SMSS = 1460;

/** A controller with that window and threshold. */
function at(cwnd: number, ssthresh: number): Rfc7016Congestion {
  const control = new Rfc7016Congestion();
  control.cwnd = cwnd;
  control.ssthresh = ssthresh;
  return control;
}

function event(change: Partial<AckEvent>): AckEvent {
  return {
    now: 0,
    ackedBytes: SMSS,
    preAckOutstanding: 1e9,
    lost: false,
    nak: false,
    timeCriticalSent: false,
    fastGrowAllowed: true,
    ...change,
  };
}

describe("congestion control of Appendix A", () => {
  it(...rfc("R7016-A.2-01", "V1-61"), "starts with 4380 bytes and no threshold", () => {
    const control = new Rfc7016Congestion();
    expect([control.cwnd, control.window, control.ssthresh, control.ackedBytesAccumulator]).toEqual([
      4380,
      4380,
      Number.POSITIVE_INFINITY,
      0,
    ]);
  });

  for (const [cwnd, ssthresh, lost, wantCwnd, wantThreshold] of [
    [40_000, 10_000, true, SMSS, 30_000],
    [40_000, 100_000, true, SMSS, 100_000],
    [40_000, 10_000, false, 4_380, 30_000],
  ] as const) {
    it(...rfc("R7016-A.2-03", "V1-63", "AMB-39"), `times out at ${cwnd}/${ssthresh}, lost: ${lost}`, () => {
      const control = at(cwnd, ssthresh);
      control.ackedBytesAccumulator = 100;
      control.onTimeout(lost);
      expect([control.cwnd, control.ssthresh, control.ackedBytesAccumulator]).toEqual([wantCwnd, wantThreshold, 0]);
    });
  }

  for (const [outstanding, timeCriticalSent, fastGrowAllowed, factor] of [
    [40_000, false, true, 1 / 2],
    [67_200, false, true, 1 / 2],
    [67_201, false, true, 7 / 8],
    [67_201, false, false, 1 / 2],
    [40_000, true, true, 7 / 8],
    [40_000, true, false, 7 / 8],
  ] as const) {
    it(
      ...rfc("R7016-A.2-04", "V1-64", "V1-62"),
      `on loss keeps ${factor} of ${outstanding} outstanding (TC ${timeCriticalSent}, fast ${fastGrowAllowed})`,
      () => {
        const control = at(100_000, 5_000);
        control.ackedBytesAccumulator = 100;
        control.onAck(
          event({ lost: true, nak: true, preAckOutstanding: outstanding, timeCriticalSent, fastGrowAllowed }),
        );
        const want = factor * outstanding;
        expect([control.cwnd, control.ssthresh, control.ackedBytesAccumulator]).toEqual([want, want, 0]);
      },
    );
  }

  it(...rfc("R7016-A.2-04"), "on loss keeps at least 4380", () => {
    const control = at(6_000, 5_000);
    control.onAck(event({ lost: true, preAckOutstanding: 3_000 }));
    expect([control.cwnd, control.ssthresh]).toEqual([4_380, 4_380]);
  });

  for (const [why, change] of [
    ["nothing is acknowledged", { ackedBytes: 0 }],
    ["something is missing", { nak: true }],
    ["the window was not used", { preAckOutstanding: 19_999 }],
  ] as const) {
    it(...rfc("R7016-A.2-05", "V1-65"), `does not grow when ${why}`, () => {
      const control = at(20_000, 100_000);
      control.onAck(event(change));
      expect(control.cwnd).toBe(20_000);
      control.onAck(event({ preAckOutstanding: 20_000 }));
      expect(control.cwnd).toBe(20_000 + SMSS);
    });
  }

  // V1-66: allowed to grow fast, below the threshold, sending TC, acknowledged bytes, increase, accumulator after.
  for (const [fast, below, tc, acked, increase, left] of [
    [true, true, false, 1_000, 1_000, 0],
    [true, true, true, 1_000, 1_000, 0],
    [true, false, false, 2_600, 48 * 2, 100],
    [true, false, true, 2_600, 48 * 2, 100],
    [false, true, true, 1_001, 251, 0],
    [false, false, true, 2_600, 24 * 2, 100],
    [false, true, false, 2_600, 24 * 2, 100],
    [false, false, false, 1_249, 0, 1_249],
  ] as const) {
    it(
      ...rfc("R7016-A.2-06", "V1-66", "R7016-3.5.2.1-01", "R7016-3.5.2-02"),
      `at 20,000 grows by ${increase} for ${acked} (fast ${fast}, below ${below}, TC ${tc})`,
      () => {
        const control = at(20_000, below ? 100_000 : 10_000);
        control.onAck(event({ ackedBytes: acked, fastGrowAllowed: fast, timeCriticalSent: tc }));
        expect([control.cwnd, control.ackedBytesAccumulator]).toEqual([20_000 + increase, left]);
      },
    );
  }

  for (const [fast, tc, cwnd, threshold] of [
    [true, false, 500, 64],
    [true, false, 64_000, 4_000],
    [true, false, 200_000, 4_800],
    [false, true, 200_000, 2_400],
    [false, false, 200_000, 4_800],
  ] as const) {
    it(
      ...rfc("R7016-A.2-06", "V1-62"),
      `at ${cwnd} takes a step per ${threshold} bytes (fast ${fast}, TC ${tc})`,
      () => {
        const control = at(cwnd, 0);
        control.onAck(event({ ackedBytes: threshold - 1, fastGrowAllowed: fast, timeCriticalSent: tc }));
        expect(control.cwnd).toBe(Math.max(cwnd, 4_380));
        control.cwnd = cwnd;
        control.onAck(event({ ackedBytes: 1, fastGrowAllowed: fast, timeCriticalSent: tc }));
        expect(control.cwnd).toBe(Math.max(cwnd + (fast ? 48 : 24), 4_380));
        expect(control.ackedBytesAccumulator).toBe(0);
      },
    );
  }

  it(
    ...rfc("R7016-3.5.2-03", "R7016-A.2-05"),
    "grows in slow start by what is acknowledged, by 1460 per two packets",
    () => {
      for (const [acked, increase] of [
        [700, 700],
        [1_460, 1_460],
        [2_920, 1_460],
        [2_921, 2_920],
        [29_200, 14_600],
      ] as const) {
        const control = at(50_000, 1e9);
        control.onAck(event({ ackedBytes: acked }));
        expect(control.cwnd).toBe(50_000 + increase);
      }
    },
  );

  it(
    ...rfc("R7016-3.5.2.1-02", "V1-62"),
    "yields: 384 bytes or 0.5 % per round trip while others are time critical",
    () => {
      for (const cwnd of [20_000, 60_000, 200_000]) {
        const control = at(cwnd, 1e9);
        for (let acked = 0; acked < cwnd; acked += 2_000)
          control.onAck(event({ ackedBytes: 2_000, fastGrowAllowed: false }));
        expect(control.cwnd - cwnd).toBeLessThanOrEqual(Math.max(0.005 * cwnd, 384) * 1.05);
        expect(control.cwnd - cwnd).toBeGreaterThan(300);
      }
    },
  );
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { REPLAY_WINDOW, ReplayWindow } from "../../../src/crypto/flash/replay-window.ts";
import { Dice } from "../support.ts";

function accept(window: ReplayWindow, sequence: bigint): boolean {
  return window.accept(Number(sequence >> 32n), Number(sequence & 0xffff_ffffn));
}

describe("the anti-replay window", () => {
  it(
    ...rfc("R7425-4.7.3.3-01", "R7425-4.7.3.3-02", "AMB-54"),
    "takes each number within reach once, however reordered",
    () => {
      expect(REPLAY_WINDOW).toBeGreaterThanOrEqual(128);
      for (const top of [1000n, 2n ** 32n + 5n, 2n ** 53n + 77n, 2n ** 64n - 1n]) {
        const window = new ReplayWindow();
        expect(accept(window, top)).toBe(true);
        for (let back = 1n; back < REPLAY_WINDOW; back++) {
          expect(accept(window, top - back), `${top} - ${back}`).toBe(true);
          expect(accept(window, top - back)).toBe(false);
        }
        expect(accept(window, top - BigInt(REPLAY_WINDOW))).toBe(false);
        expect(accept(window, top)).toBe(false);
      }
    },
  );

  it("takes 0 as its first number, once", () => {
    const window = new ReplayWindow();
    expect(accept(window, 0n)).toBe(true);
    expect(accept(window, 0n)).toBe(false);
  });

  it("forgets nothing and invents nothing when it leaps", () => {
    for (const leap of [1n, 31n, 32n, 33n, 223n, 224n, 255n, 256n, 257n, 2n ** 32n, 2n ** 40n, 2n ** 60n]) {
      const window = new ReplayWindow();
      for (let n = 0n; n < 300n; n++) expect(accept(window, n)).toBe(true);
      expect(accept(window, 299n + leap)).toBe(true);
      for (let back = 1n; back < REPLAY_WINDOW; back++) {
        const number = 299n + leap - back;
        expect(accept(window, number), `leap ${leap}, back ${back}`).toBe(number > 299n);
      }
    }
  });

  it("agrees with a list of all numbers over random traffic", () => {
    const dice = new Dice(11);
    const window = new ReplayWindow();
    const seen = new Set<bigint>();
    let top = 2n ** 32n - 2000n;
    for (let round = 0; round < 20_000; round++) {
      const number = top + BigInt(dice.below(dice.below(50) === 0 ? 600 : 40)) - BigInt(dice.below(300));
      const expected = !seen.has(number) && (seen.size === 0 || top - number < BigInt(REPLAY_WINDOW));
      expect(accept(window, number)).toBe(expected);
      if (!expected) continue;
      seen.add(number);
      if (seen.size === 1 || number > top) top = number;
    }
    expect(top).toBeGreaterThan(2n ** 32n);
  });
});

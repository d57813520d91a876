/** Members that put bytes of their own into a stream: the others compare copies, and have it right. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { AUDIT_PART } from "../../../src/group/multicast/params.ts";
import { type PoisonedResult, playPoisoned } from "./poisoner.ts";

const SEEDS = [1, 2, 3];

function least({ right }: PoisonedResult): number {
  return Math.min(...right);
}

function mean({ right }: PoisonedResult): number {
  return right.reduce((sum, part) => sum + part, 0) / right.length;
}

describe("a member that sends its own bytes in the place of the stream's", () => {
  for (const viewers of [6, 20]) {
    for (const lead of [0, 4, 20]) {
      it(
        ...rfc("G-3"),
        `${lead} fragments ahead of others: ${viewers} viewers have the stream right from 3 s on`,
        () => {
          for (const seed of SEEDS) {
            const result = playPoisoned({ seed, viewers, poison: [{ lead }] });
            expect(least(result)).toBeGreaterThan(0.99);
            expect(result.count("contradicting")).toBeGreaterThan(viewers);
            // Each viewer finds it wrong whenever it has been forgiven.
            expect(result.count("struck")).toBeGreaterThanOrEqual(3 * viewers);
          }
        },
      );
    }
  }

  for (const viewers of [6, 20]) {
    it(...rfc("G-3"), `and another that sends the same: ${viewers} viewers have the stream right from 3 s on`, () => {
      for (const seed of SEEDS) {
        const result = playPoisoned({ seed, viewers, poison: [{ lead: 4 }, { lead: 4 }] });
        expect(least(result)).toBeGreaterThan(0.97);
      }
    });
  }

  it(...rfc("G-3"), "after eight true seconds: it is found, and most frames of the next twelve are right", () => {
    for (const seed of SEEDS) {
      const result = playPoisoned({ seed, viewers: 20, poison: [{ from: 8_000 }] });
      expect(mean(result)).toBeGreaterThan(0.9);
      expect(result.count("struck")).toBeGreaterThan(0);
    }
  });

  it(...rfc("G-3"), "and the true ones where it is asked for one: most frames are right", () => {
    for (const seed of SEEDS) {
      const result = playPoisoned({ seed, viewers: 20, poison: [{ answersTruly: true }] });
      expect(mean(result)).toBeGreaterThan(0.9);
    }
  });

  it(...rfc("G-3"), "is not there: nobody is found wrong, and comparing costs one fragment in sixty", () => {
    for (const seed of SEEDS) {
      const { right, count } = playPoisoned({ seed, viewers: 20, poison: [] });
      expect(right.every((part) => part === 1)).toBe(true);
      expect([count("contradicting"), count("struck"), count("barred")]).toEqual([0, 0, 0]);
      // Each of the twenty neighbours is examined once besides.
      const share = (count("audits") - 20 * 20) / count("fragments");
      expect(share).toBeLessThan(1.2 * AUDIT_PART);
    }
  });
});

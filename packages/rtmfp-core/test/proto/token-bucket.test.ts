import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../src/proto/token-bucket.ts";

describe("a token bucket", () => {
  it("gives a burst, then its rate, and never saves more than a burst", () => {
    const bucket = new TokenBucket(10, 5, 1_000);
    const takes = (from: number, to: number): number => {
      let taken = 0;
      for (let now = from; now < to; now++) if (bucket.take(now)) taken++;
      return taken;
    };
    expect(takes(1_000, 1_005)).toBe(5);
    expect(takes(1_005, 2_000)).toBe(9);
    expect(takes(2_000, 3_000)).toBe(10);
    expect(takes(100_000, 100_010)).toBe(5);
  });
});

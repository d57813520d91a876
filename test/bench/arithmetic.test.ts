import { describe, expect, it } from "vitest";
import { judge, median, medianRatio, type Target } from "./arithmetic.ts";

describe("the arithmetic of the benchmark", () => {
  it("takes the middle of an odd count and the mean of the two in the middle of an even one", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([8, 1, 5, 2])).toBe(3.5);
    expect(median([])).toBeNaN();
  });

  it("takes ratios within rounds, so that a slow round of both changes nothing", () => {
    // The second round ran at a tenth of the speed, the third was disturbed: the ratio of the medians would be 0.06.
    expect(medianRatio([50, 5, 6], [100, 10, 100])).toBe(0.5);
    expect(medianRatio([30, 90, 10], [10, 10, 10])).toBe(3);
    expect(medianRatio([1, 2, 3], [])).toBeUndefined();
  });

  it("holds what should be large against its limits from above", () => {
    const target: Target = { of: "ratio", better: "more", reach: 0.4, aim: 0.6 };
    expect(judge(target, 1_000, 0.39)).toBe("not met");
    expect(judge(target, 0, 0.4)).toBe("reach met");
    expect(judge(target, 0, 0.6)).toBe("aim met");
  });

  it("holds what should be small against its limits from below", () => {
    const target: Target = { of: "number", better: "less", reach: 6_144, aim: 3_072 };
    expect(judge(target, 6_145, 0)).toBe("not met");
    expect(judge(target, 6_144, 9)).toBe("reach met");
    expect(judge(target, 3_072, 9)).toBe("aim met");
  });

  it("judges nothing that was not measured, and nothing without a target", () => {
    expect(judge({ of: "ratio", better: "more", reach: 1, aim: 2 }, 5, undefined)).toBe("unavailable");
    expect(judge(undefined, 5, 1)).toBe("context");
    expect(judge({ of: "number", better: "more", reach: 1, aim: 2 }, Number.NaN, undefined)).toBe("not met");
  });
});

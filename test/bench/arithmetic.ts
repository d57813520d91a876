/** Medians, ratios and what they are worth. */

/** What a row is to show. */
export interface Target {
  /** Of the number itself, or of its ratio to the reference. */
  readonly of: "number" | "ratio";
  /** Which way is good. */
  readonly better: "more" | "less";
  /** What must be, and what would be better yet. */
  readonly reach: number;
  readonly aim: number;
}

/** How a row did; "context" is without a target, "unavailable" without what it is compared with. */
export type Verdict = "aim met" | "reach met" | "not met" | "unavailable" | "context";

/** The middle of the numbers, or of the two in the middle; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/**
 * The median of the ratios of pairs: both of a pair ran side by side, so that what the machine did to one it did to
 * the other. Undefined without references.
 */
export function medianRatio(numbers: readonly number[], references: readonly number[]): number | undefined {
  if (references.length === 0) return undefined;
  return median(numbers.map((number, i) => number / (references[i] ?? Number.NaN)));
}

/** Holds a row against its target. A limit counts as met when it is touched. */
export function judge(target: Target | undefined, number: number, ratio: number | undefined): Verdict {
  if (target === undefined) return "context";
  const value = target.of === "number" ? number : ratio;
  if (value === undefined) return "unavailable";
  const meets = (limit: number): boolean => (target.better === "more" ? value >= limit : value <= limit);
  if (meets(target.aim)) return "aim met";
  return meets(target.reach) ? "reach met" : "not met";
}

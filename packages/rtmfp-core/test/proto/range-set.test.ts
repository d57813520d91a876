import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RangeSet } from "../../src/proto/range-set.ts";

describe("a range set", () => {
  it("is the set of what was added, in whatever order", () => {
    const step = fc.record({ upTo: fc.boolean(), value: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const set = new RangeSet();
        const model = new Set([0]);
        for (const { upTo, value } of steps) {
          if (upTo && value % 7 === 0) {
            let missing = 0;
            for (let each = 0; each <= value; each++) if (!model.has(each)) missing++;
            for (let each = 0; each <= value; each++) model.add(each);
            expect(set.addUpTo(value)).toBe(missing);
          } else {
            const { rangeCount } = set;
            const opens = set.opensRange(value);
            model.add(value);
            set.add(value);
            expect(set.rangeCount > rangeCount).toBe(opens);
          }
          for (let each = 0; each <= 62; each++) expect(set.has(each)).toBe(model.has(each));
          expectTidy(set);
        }
      }),
    );
  });

  it("merges descending numbers with gaps into one run", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 200, maxLength: 200 }), (numbers) => {
        const set = new RangeSet();
        for (const number of numbers) set.add(number);
        expect(set.contiguous).toBe(200);
        expect(set.rangeCount).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});

/** Ranges ascend, and do not touch. */
function expectTidy(set: RangeSet): void {
  let end = set.contiguous;
  for (let i = 0; i < set.rangeCount; i++) {
    expect(set.first(i)).toBeGreaterThan(end + 1);
    expect(set.last(i)).toBeGreaterThanOrEqual(set.first(i));
    end = set.last(i);
  }
}

/** How long a neighbour whose copies are not those of others is kept out. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { BAR_MS, FORGIVE_MS, MAX_BAR_MS, MAX_STANDINGS } from "../../../src/group/multicast/params.ts";
import { Standing, Standings } from "../../../src/group/multicast/standing.ts";

/** Strikes a neighbour as soon as that is possible, so many times; how long it was barred each time, ms. */
function strikes(standing: Standing, times: number): number[] {
  let now = 0;
  return Array.from({ length: times }, () => {
    standing.strike(now);
    const before = now;
    while (standing.isBarred(now)) now += BAR_MS;
    return now - before;
  });
}

describe("a neighbour of a stream", () => {
  it(...rfc("G-3"), "is believed once a copy of it agreed, and after it did not only when four did", () => {
    const standing = new Standing();
    expect(standing.isProven).toBe(false);
    standing.agree();
    expect([standing.isProven, standing.isStruck]).toEqual([true, false]);
    expect([standing.strike(0), standing.isProven, standing.isStruck]).toEqual([true, false, true]);
    for (let copy = 0; copy < 3; copy++) standing.agree();
    expect(standing.isProven).toBe(false);
    standing.agree();
    expect(standing.isProven).toBe(true);
  });

  it(...rfc("G-3"), "is barred twice as long each time, up to five minutes", () => {
    const barred = strikes(new Standing(), 9);
    expect(barred.slice(0, 4)).toEqual([BAR_MS, 2 * BAR_MS, 4 * BAR_MS, 8 * BAR_MS]);
    expect(barred.slice(-2)).toEqual([MAX_BAR_MS, MAX_BAR_MS]);
  });

  it(...rfc("G-3"), "is not struck again for what it sent before, and is forgiven in time", () => {
    const standing = new Standing();
    expect([standing.strike(0), standing.strike(BAR_MS - 1)]).toEqual([true, false]);
    const later = BAR_MS + FORGIVE_MS;
    standing.strike(later);
    expect([standing.isBarred(later + BAR_MS - 1), standing.isBarred(later + BAR_MS)]).toEqual([true, false]);
  });

  it(...rfc("G-3"), "is known again when it comes back, if it was found wrong, and so are 256 of them", () => {
    const standings = new Standings();
    const first = standings.of("first", 1);
    standings.left("first");
    expect(standings.of("first", 1)).not.toBe(first);
    const bad = standings.of("bad", 1);
    bad.strike(0);
    standings.left("bad");
    expect(standings.of("bad", 1)).toBe(bad);
    standings.left("bad");
    for (let i = 0; i <= MAX_STANDINGS; i++) {
      standings.of(`other ${i}`, 1).strike(0);
      standings.left(`other ${i}`);
    }
    expect(standings.of("bad", 1)).not.toBe(bad);
  });
});

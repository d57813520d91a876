import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import type { Seen } from "../support/watch.ts";
import { faults, growth, V4_CASES, type V4Case } from "./cases.ts";
import { runVirtual } from "./virtual.ts";

const SECONDS = 60;
const [calm, , drops] = V4_CASES as [V4Case, V4Case, V4Case];

describe("a video call with a round trip of 100 ms", () => {
  it(
    ...rfc("V-4"),
    "neither stalls nor drifts at 1.5 Mbit/s and 0.3 % loss, at 0.9 Mbit/s and 1 %, and by dropping groups at 1.5 Mbit/s and 1 %",
    async () => {
      for (const which of V4_CASES) {
        const { seen } = await runVirtual(which, SECONDS, 1);
        expect([which.name, ...faults(which, seen, SECONDS)]).toEqual([which.name]);
      }
    },
    120_000,
  );

  it("is judged by its stalls, its drift, what is missing, and memory", () => {
    const good: Seen = {
      ...{ sounds: 2_584, pictures: 600, keyFrames: 30, brokenGroups: 0, undecodable: 0, missingSounds: 0 },
      ...{
        longestGapMs: 400,
        longestSoundGapMs: 400,
        meanDelayMs: 100,
        worstDelayMs: 500,
        delaySlope: 1,
        startGapMs: 9_000,
      },
    };
    expect(faults(calm, good, SECONDS)).toEqual([]);
    const bad: [Partial<Seen>, number, RegExp][] = [
      [{ longestGapMs: 1_001 }, 0, /stall of 1001 ms/],
      [{ longestSoundGapMs: 1_001 }, 0, /sound stalled/],
      [{ delaySlope: -151 }, 0, /drifts/],
      [{ missingSounds: 1 }, 0, /1 frames of sound/],
      [{ undecodable: 1 }, 0, /gap/],
      [{ pictures: 599 }, 0, /1 pictures are missing/],
      [{}, 600_000, /heap grew by 586 KiB/],
    ];
    for (const [change, grown, fault] of bad) {
      expect(faults(calm, { ...good, ...change }, SECONDS, grown)).toEqual([expect.stringMatching(fault)]);
    }
    expect(faults(drops, { ...good, pictures: 500, brokenGroups: 9 }, SECONDS)).toEqual([]);
    expect(faults(drops, { ...good, pictures: 500, brokenGroups: 10 }, SECONDS)).toEqual([
      expect.stringMatching(/30 %/),
    ]);
    expect(growth([9, 1, 2, 5, 5, 5, 5, 3, 4])).toBe(-4);
  });
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { Timeline } from "../../src/bittube/timeline.ts";
import { configuration, inter, key, metadata, sound } from "./support.ts";

describe("Timeline", () => {
  const times = (timeline: Timeline, ...tags: Parameters<Timeline["place"]>[0][]): number[] =>
    tags.map((tag) => timeline.place(tag).timestamp);

  it(...rfc("B-9"), "puts the first tag at 0 and keeps all distances, through the wrap at 2^32 too", () => {
    expect(times(new Timeline(), key(5_000_000), sound(5_000_010), inter(5_000_040))).toEqual([0, 10, 40]);
    expect(times(new Timeline(), key(2 ** 32 - 20), inter(20), inter(60))).toEqual([0, 40, 80]);
    expect(times(new Timeline(), key(2 ** 32 - 40), inter(0))).toEqual([0, 40]);
  });

  it(...rfc("B-9"), "goes on through the wraps of clocks of 31 bits, as ffmpeg's, and of 24", () => {
    for (const limit of [2 ** 31, 2 ** 24]) {
      const tags = [key(limit - 40), metadata(0), sound(3), inter(40), inter(5_000)];
      expect(times(new Timeline(), ...tags)).toEqual([0, 0, 43, 80, 5_040]);
      expect(times(new Timeline(), key(limit - 1), inter(limit), inter(limit + 40))).toEqual([0, 1, 41]);
      const early = new Timeline();
      early.place(key(limit - 10_001));
      expect(() => early.place(inter(0))).toThrow("the time goes back");
    }
  });

  it(...rfc("B-9"), "goes on one frame after the latest tag when the source begins again", () => {
    const timeline = new Timeline();
    expect(times(timeline, key(900), sound(1_000), inter(940))).toEqual([0, 100, 40]);
    timeline.restart();
    expect(times(timeline, configuration(0), key(0), inter(40))).toEqual([140, 140, 180]);
    timeline.restart();
    timeline.restart();
    expect(times(timeline, key(7))).toEqual([220]);
  });

  it("puts data and configuration that are out of line where sound and pictures are", () => {
    const timeline = new Timeline();
    const tags = [
      metadata(0),
      configuration(0),
      key(5_000_000),
      inter(5_000_040),
      metadata(0),
      configuration(5_000_060),
    ];
    expect(times(timeline, ...tags)).toEqual([0, 0, 0, 40, 40, 60]);
  });

  it("keeps data that are behind the media, and lets none that are ahead hold media up", () => {
    const tags = [key(0), inter(1_000), metadata(900), metadata(9_000), metadata(1_001), sound(1_010), inter(1_040)];
    expect(times(new Timeline(), ...tags)).toEqual([0, 1_000, 900, 1_000, 1_000, 1_010, 1_040]);
    const timeline = new Timeline();
    expect(times(timeline, key(0), metadata(9_000))).toEqual([0, 0]);
    timeline.restart();
    expect(times(timeline, key(0))).toEqual([40]);
  });

  it("makes room for what is a little before the first tag, so that the rest keeps its distances", () => {
    const tags = [key(1_000), sound(980), inter(1_040), sound(1_003)];
    expect(times(new Timeline(), ...tags)).toEqual([0, 0, 60, 23]);
  });

  it(
    ...rfc("B-9"),
    "takes a step of more than 10 s forward for one of a frame, since no player waits that long",
    () => {
      const tags = [
        key(0),
        sound(10),
        inter(10_010),
        inter(3_610_010),
        sound(3_610_020),
        metadata(3_610_020),
        inter(3_610_050),
      ];
      expect(times(new Timeline(), ...tags)).toEqual([0, 10, 10_010, 10_050, 10_060, 10_060, 10_090]);
      // Through the wrap, too.
      expect(times(new Timeline(), key(2 ** 32 - 40), inter(20_000), inter(20_040))).toEqual([0, 40, 80]);
    },
  );

  it(...rfc("B-9"), "puts one tag with a wrong time far ahead where the media are, which go on in their line", () => {
    for (const wrong of [2 ** 31 - 1, 2 ** 30]) {
      const tags = [key(0), sound(500), sound(wrong), inter(520), sound(560), inter(wrong), sound(610)];
      expect(times(new Timeline(), ...tags)).toEqual([0, 500, 540, 520, 560, 600, 610]);
    }
    // Two in line with each other are a leap.
    const leap = new Timeline();
    expect(times(leap, key(0), inter(10_001), sound(9_998), inter(10_041))).toEqual([0, 40, 37, 80]);
    expect(() => leap.place(inter(0))).toThrow("the time goes back");
    const [wide, step] = [new Timeline(), 3_600_000];
    // Kinds that are an hour apart: the one that is behind keeps its distances.
    const kinds = [0, 20, 40].flatMap((ms) => [sound(ms), inter(ms + step)]);
    expect(times(wide, ...kinds, sound(60))).toEqual([0, 40, 20, 60, 40, 80, 60]);
  });

  it(...rfc("B-8"), "takes time that goes back, or below 0, for an error", () => {
    const timeline = new Timeline();
    timeline.place(key(3_600_000));
    expect(() => timeline.place(inter(0))).toThrow(
      "the time goes back from 3600000 to 0 ms: the source has started over",
    );
    expect(timeline.place(inter(3_600_040)).timestamp).toBe(40);
    const early = new Timeline();
    early.place(key(12_000));
    expect(() => early.place(inter(-3_000 >>> 0))).toThrow("a timestamp is negative, -3000 ms, after one of 12000 ms");
  });
});

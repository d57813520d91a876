import { readFileSync } from "node:fs";
import { decodeFlv, type FlvTag, isKeyFrame } from "rtmfp-core/flv";
import { describe, expect, it } from "vitest";
import { gapFree } from "./gap-free.ts";
import { ROOT } from "./process.ts";
import { SAMPLE } from "./settings.ts";
import { isEndOfSequence } from "./source.ts";

const original = decodeFlv(readFileSync(`${ROOT}${SAMPLE}`)).filter((tag) => !isEndOfSequence(tag));
const keyFrame = original.findIndex((tag) => isKeyFrame(tag) && tag.timestamp === 4_000);
const indexOf = (type: string, ms: number): number =>
  original.findIndex((tag) => tag.type === type && tag.timestamp >= ms);
const without = (index: number): FlvTag[] => original.filter((_, at) => at !== index);

describe("the comparison of a viewer's file with what was published", () => {
  it("finds all of it, and what begins at a key frame, or ends before the end, without a gap", () => {
    expect(gapFree(original, original)).toMatchObject({ fromMs: 0, isComplete: true });
    expect(gapFree(original, original.slice(keyFrame))).toMatchObject({ fromMs: 4_000, isComplete: true });
    const begun = gapFree(original, original.slice(keyFrame - 20, keyFrame + 200));
    expect(begun).toMatchObject({ fromMs: 4_000, isComplete: false });
    expect(begun.toMs).toBeGreaterThan(5_000);
    // The last frame is sound.
    expect(gapFree(original, original.slice(0, -1)).isComplete).toBe(false);
  });

  it("takes configurations that are repeated for what they are", () => {
    const [, ...rest] = original;
    const configuration = original.find((tag) => tag.type === "video") as FlvTag;
    expect(
      gapFree(original, [...rest.slice(0, 500), { ...configuration, timestamp: 9_000 }, ...rest.slice(500)]),
    ).toEqual(gapFree(original, original));
  });

  it("names what is missing, is another, comes twice or is not there", () => {
    const picture = indexOf("video", 7_000);
    const sound = indexOf("audio", 7_000);
    const { timestamp, data } = original[picture] as FlvTag;
    expect(() => gapFree(original, without(picture))).toThrow(
      `video goes on at ${original[indexOf("video", timestamp + 1)]?.timestamp} ms instead of ${timestamp} ms`,
    );
    expect(() => gapFree(original, without(sound))).toThrow(/^audio goes on at \d+ ms instead of \d+ ms$/);
    const another = original.with(picture, { type: "video", timestamp, data: data.map((byte) => byte ^ 1) });
    expect(() => gapFree(original, another)).toThrow(`the video frame at ${timestamp} ms is not the one`);
    const twice = [...original.slice(0, sound), original[sound] as FlvTag, ...original.slice(sound)];
    expect(() => gapFree(original, twice)).toThrow(/^audio goes on at/);
    expect(() => gapFree(original, [])).toThrow("there is no key frame");
    expect(() => gapFree(original, original.slice(indexOf("video", 18_100)))).toThrow("there is no key frame");
    const silent = original.filter(({ type }) => type === "video");
    expect(() =>
      gapFree(
        original,
        silent.filter((tag) => tag.timestamp >= 4_000),
      ),
    ).not.toThrow();
    expect(gapFree(original, silent).isComplete).toBe(false);
    const late = original.filter(({ type, timestamp: at }) => type === "video" || at > 1_000);
    expect(() => gapFree(original, late)).toThrow("pictures at 0 ms");
  });
});

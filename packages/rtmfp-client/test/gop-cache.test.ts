import type { FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it } from "../../../test/support/rfc.ts";
import { GopCache } from "../src/gop-cache.ts";
import { TAGS } from "./support/connections.ts";

const key = (timestamp: number, size = 10): FlvTag => frame(0x17, timestamp, size);
const inter = (timestamp: number, size = 10): FlvTag => frame(0x27, timestamp, size);

function frame(first: number, timestamp: number, size: number): FlvTag {
  const data = new Uint8Array(size);
  data.set([first, 1]);
  return { type: "video", timestamp, data };
}

describe("GopCache", () => {
  it("opens a real stream with metadata, both configurations and the group since the last key frame", () => {
    const cache = new GopCache();
    for (const tag of TAGS) cache.add(tag);
    const [metadata, video, audio, first] = cache.opening;
    expect([metadata, video, audio]).toEqual([TAGS[0], TAGS[1], TAGS[2]]);
    const keys = TAGS.filter((tag) => tag.type === "video" && tag.data[0] === 0x17 && tag.data[1] === 1);
    expect(first).toBe(keys.at(-1));
    expect(cache.opening.slice(3)).toEqual(TAGS.slice(TAGS.indexOf(first as FlvTag)));
  });

  it("begins again with each key frame", () => {
    const cache = new GopCache();
    for (const tag of [key(0), inter(40), key(80), inter(120)]) cache.add(tag);
    expect(cache.opening.map((tag) => tag.timestamp)).toEqual([80, 120]);
    expect(cache.awaitsKeyFrame).toBe(false);
  });

  it("gives up a group that is too long, so that a viewer begins with the next one", () => {
    const cache = new GopCache();
    expect(cache.awaitsKeyFrame).toBe(false);
    cache.add(key(0, 500_000));
    cache.add(inter(40, 500_000));
    expect(cache.opening).toEqual([]);
    expect(cache.awaitsKeyFrame).toBe(true);
    cache.add(key(80));
    expect(cache.awaitsKeyFrame).toBe(false);
  });
});

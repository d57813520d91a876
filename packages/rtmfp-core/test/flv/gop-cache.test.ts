import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { decodeFlv } from "../../src/flv/flv-reader.ts";
import type { FlvTag } from "../../src/flv/flv-tag.ts";
import { GopCache } from "../../src/flv/gop-cache.ts";
import { GopGuard } from "../../src/flv/gop-guard.ts";
import { isKeyFrame } from "../../src/flv/tag-info.ts";

const FIXTURE = new URL("../../../../test/fixtures/sample-h264-aac.flv", import.meta.url);
const key = (timestamp: number, size = 10): FlvTag => frame(0x17, timestamp, size);
const inter = (timestamp: number, size = 10): FlvTag => frame(0x27, timestamp, size);
const header = (timestamp: number): FlvTag => ({ type: "video", timestamp, data: Uint8Array.of(0x17, 0, 0, 0, 0) });
const sound = (timestamp: number): FlvTag => ({ type: "audio", timestamp, data: Uint8Array.of(0xaf, 1, 7) });

function frame(first: number, timestamp: number, size: number): FlvTag {
  const data = new Uint8Array(size);
  data.set([first, 1]);
  return { type: "video", timestamp, data };
}

/** The name alone, as AMF0 has it. */
function encodeOnMetaData(): Uint8Array {
  return Uint8Array.of(2, 0, 10, ...new TextEncoder().encode("onMetaData"));
}

describe("GopCache", () => {
  it(
    ...rfc("F-10", "O-6"),
    "opens a real stream with metadata, both configurations and the group since the last key frame",
    () => {
      const cache = new GopCache();
      const tags = decodeFlv(readFileSync(FIXTURE));
      for (const tag of tags) cache.add(tag);
      const last = tags.filter(isKeyFrame).at(-1) as FlvTag;
      const { timestamp } = last;
      expect(cache.opening.slice(0, 3)).toEqual(tags.slice(0, 3).map((tag) => ({ ...tag, timestamp })));
      expect(cache.opening.slice(3)).toEqual(tags.slice(tags.indexOf(last)));
    },
  );

  it("begins again with each key frame, and with new configuration", () => {
    const cache = new GopCache();
    for (const tag of [key(0), inter(40), key(80), inter(120)]) cache.add(tag);
    expect(cache.opening.map((tag) => tag.timestamp)).toEqual([80, 120]);
    expect(cache.awaitsKeyFrame).toBe(false);
    cache.add(header(160));
    expect(cache.opening).toEqual([header(160)]);
    expect(cache.awaitsKeyFrame).toBe(true);
  });

  it("gives up a group that is too long, so that a viewer begins with the next one", () => {
    const cache = new GopCache();
    expect(cache.awaitsKeyFrame).toBe(false);
    cache.add(key(0, 300_000));
    cache.add(inter(40, 300_000));
    expect(cache.opening).toEqual([]);
    expect(cache.awaitsKeyFrame).toBe(true);
    cache.add(key(80));
    expect(cache.awaitsKeyFrame).toBe(false);
    const roomy = new GopCache(undefined, 600_000);
    for (const tag of [key(0, 300_000), inter(40, 300_000)]) roomy.add(tag);
    expect(roomy.opening.length).toBe(2);
    roomy.add(inter(80, 2));
    expect(roomy.opening).toEqual([]);
  });

  it("keeps no group that goes on for more than 60 s, such as one of sound after the last picture", () => {
    const cache = new GopCache();
    const start = 0xffffff00;
    for (const tag of [header(start), key(start), sound((start + 60_000) >>> 0)]) cache.add(tag);
    expect(cache.opening).toHaveLength(3);
    cache.add(sound((start + 60_001) >>> 0));
    expect(cache.opening).toEqual([header((start + 60_001) >>> 0)]);
  });

  it("keeps metadata and configurations without the packet that they came in", () => {
    const packet = new Uint8Array(1_400);
    const inPacket = ({ data, ...tag }: FlvTag, at: number): FlvTag => {
      packet.set(data, at);
      return { ...tag, data: packet.subarray(at, at + data.length) };
    };
    const metadata: FlvTag = { type: "data", timestamp: 0, data: encodeOnMetaData() };
    const configuration: FlvTag = { type: "audio", timestamp: 0, data: Uint8Array.of(0xaf, 0, 0x12, 0x10) };
    const cache = new GopCache();
    for (const [i, tag] of [metadata, header(0), configuration].entries()) cache.add(inPacket(tag, 100 * i));
    packet.fill(0);
    expect(cache.opening).toEqual([metadata, header(0), configuration]);
    expect(cache.opening.map(({ data }) => data.buffer.byteLength)).toEqual([metadata.data.length, 5, 4]);
  });

  it("opens HEVC by its plain codec number with its configuration", () => {
    const cache = new GopCache();
    const configuration: FlvTag = { type: "video", timestamp: 0, data: Uint8Array.of(0x1c, 0, 0, 0, 0) };
    const tags = [configuration, frame(0x1c, 0, 10), frame(0x2c, 40, 10), frame(0x1c, 80, 10), frame(0x2c, 120, 10)];
    for (const tag of tags) cache.add(tag);
    expect(cache.opening).toEqual([{ ...configuration, timestamp: 80 }, ...tags.slice(3)]);
  });

  it("keeps no configuration of more than 64 KiB, nor the one before it", () => {
    const cache = new GopCache();
    const longer = new Uint8Array(64 * 1024 + 1);
    longer.set([0x17, 0]);
    for (const tag of [header(0), key(10)]) cache.add(tag);
    cache.add({ type: "video", timestamp: 20, data: longer });
    cache.add(key(30));
    expect(cache.opening).toEqual([key(30)]);
    cache.add({ type: "video", timestamp: 40, data: longer.subarray(0, 64 * 1024) });
    expect(cache.opening).toHaveLength(1);
  });

  it("knows key frames of unknown codecs by their frame type", () => {
    const cache = new GopCache();
    cache.add(frame(0x1f, 0, 10));
    cache.add(frame(0x2f, 40, 10));
    expect(cache.opening.map((tag) => tag.timestamp)).toEqual([0, 40]);
  });
});

describe("GopGuard", () => {
  it("holds pictures back from a gap to the next key frame, and nothing else", () => {
    const guard = new GopGuard();
    const [flow, other] = [{}, {}];
    const passed = (tags: readonly FlvTag[], source: object, missing: number): number[] =>
      tags.filter((tag, i) => guard.passes(tag, source, i === 0 ? missing : 0)).map((tag) => tag.timestamp);
    expect(passed([key(0), inter(40)], flow, 0)).toEqual([0, 40]);
    expect(passed([sound(41)], other, 7)).toEqual([41]);
    expect(passed([inter(60)], flow, 0)).toEqual([60]);
    expect(passed([inter(80), sound(81), header(100), inter(120), key(160), inter(200)], flow, 1)).toEqual([
      81, 100, 160, 200,
    ]);
    // A flow of both may have lost either.
    expect(passed([sound(210), inter(240), key(280)], flow, 1)).toEqual([210, 280]);
  });
});

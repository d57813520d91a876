import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { decodeFlv } from "../../src/flv/flv-reader.ts";
import type { FlvTag } from "../../src/flv/flv-tag.ts";
import { TimestampRebaser } from "../../src/flv/rebase.ts";
import {
  isKeyFrame,
  isMetadata,
  isPicture,
  isSequenceHeader,
  needsSequenceHeader,
  tagInfo,
} from "../../src/flv/tag-info.ts";

describe("tagInfo", () => {
  it("knows H.264 and AAC, and their configuration from pictures", () => {
    const tags = fixture("sample-h264-aac.flv");
    expect(isMetadata(tags[0]!)).toBe(true);
    expect(tagInfo(tags[0]!)).toMatchObject({ kind: "data", name: "onMetaData" });
    expect(tagInfo(tags[1]!)).toMatchObject({
      codec: "avc",
      sequenceHeader: true,
      keyFrame: false,
      keyFrameType: true,
    });
    expect(tagInfo(tags[2]!)).toMatchObject({ codec: "aac", sequenceHeader: true, enhanced: false });
    expect(isKeyFrame(tags[3]!)).toBe(true);
    expect(tags.filter(isSequenceHeader)).toHaveLength(2);
    expect(tags.filter(isKeyFrame).length).toBeGreaterThan(1);
    expect(tags.filter((tag) => tag.type === "video" && !isKeyFrame(tag)).length).toBeGreaterThan(100);
  });

  it("knows H.263 and MP3, which have no configuration", () => {
    const tags = fixture("sample-h263-mp3.flv");
    const codecs = new Set(tags.map(tagInfo).map((info) => (info.kind === "data" ? info.name : info.codec)));
    expect(codecs).toEqual(new Set(["onMetaData", "h263", "mp3"]));
    expect(tags.some(isSequenceHeader)).toBe(false);
    expect(isKeyFrame(tags.find((tag) => tag.type === "video")!)).toBe(true);
  });

  it("knows the FourCC headers of Enhanced RTMP", () => {
    expect(tagInfo(video(0x90, ..."hvc1"))).toMatchObject({
      codec: "hvc1",
      enhanced: true,
      sequenceHeader: true,
      keyFrame: false,
    });
    expect(tagInfo(video(0x91, ..."hvc1", 0))).toMatchObject({ keyFrame: true, sequenceHeader: false });
    expect(tagInfo(video(0x93, ..."av01"))).toMatchObject({ codec: "av01", keyFrame: true });
    expect(tagInfo(video(0xa1, ..."av01"))).toMatchObject({ keyFrame: false, keyFrameType: false });
    expect(tagInfo(video(0x92, ..."av01"))).toMatchObject({ keyFrame: false, sequenceHeader: false });
    expect(tagInfo(audio(0x90, ..."Opus"))).toMatchObject({ codec: "Opus", enhanced: true, sequenceHeader: true });
    expect(tagInfo(audio(0x91, ..."Opus"))).toMatchObject({ codec: "Opus", sequenceHeader: false });
  });

  it("knows HEVC and AV1 by the plain codec numbers that some encoders give them, with AVC's packet types", () => {
    for (const [number, codec] of [
      [12, "hevc"],
      [13, "av1"],
    ] as const) {
      const info = (frameType: number, packetType: number) => tagInfo(video((frameType << 4) | number, packetType));
      const none = { codec, enhanced: false, picture: false, keyFrame: false, sequenceHeader: false };
      expect(info(1, 0)).toMatchObject({ ...none, sequenceHeader: true });
      expect(info(1, 1)).toMatchObject({ ...none, picture: true, keyFrame: true });
      expect(info(2, 1)).toMatchObject({ ...none, picture: true });
      expect(info(1, 2)).toMatchObject(none);
    }
    expect([video(0x1c, 1), video(0x1d, 1)].map(needsSequenceHeader)).toEqual([true, false]);
  });

  it("knows pictures from configuration, commands to the player and ends of sequence", () => {
    const pictures = [video(0x17, 1), video(0x27, 1), video(0x37, 1), video(0x22), video(0x1f), video(0xa1, ..."hvc1")];
    expect(pictures.map(isPicture)).toEqual(new Array(6).fill(true));
    const others = [
      video(0x17, 0),
      video(0x17, 2),
      video(0x57, 0),
      video(0x57, 1),
      video(0x52),
      video(),
      audio(0xaf, 1),
    ];
    const enhanced = [video(0x90, ..."hvc1"), video(0x92, ..."hvc1"), video(0x94, ..."hvc1"), video(0xd1, ..."hvc1")];
    expect([...others, ...enhanced].map(isPicture)).toEqual(new Array(11).fill(false));
    expect(isSequenceHeader(video(0x57, 0))).toBe(false);
  });

  it("knows which codecs nobody decodes without their sequence header", () => {
    const needing = [video(0x17, 1), video(0x27, 0), audio(0xaf, 1), video(0x91, ..."avc1"), video(0xa3, ..."hvc1")];
    expect([...needing, audio(0x91, ..."mp4a")].map(needsSequenceHeader)).toEqual(new Array(6).fill(true));
    const others = [video(0x12, 1), audio(0x2f, 1), video(0x91, ..."av01"), video(0x91, ..."vp09")];
    const rest = [audio(0x91, ..."Opus"), audio(0x91, ..."fLaC"), audio(0x91, ..."ac-3"), data(2, 0, 1, "x")];
    expect([...others, ...rest].map(needsSequenceHeader)).toEqual(new Array(8).fill(false));
  });

  it("looks through modifiers and the wrapping of several tracks", () => {
    expect(tagInfo(video(0x97, 2, 9, 9, 9, 0x01, ..."hvc1"))).toMatchObject({ codec: "hvc1", keyFrame: true });
    expect(tagInfo(video(0x97, 255, 0, 0, 9, 0x00, ..."hvc1"))).toMatchObject({ codec: "hvc1", sequenceHeader: true });
    expect(tagInfo(video(0x96, 0x10, ..."hvc1", 0))).toMatchObject({ codec: "hvc1", sequenceHeader: true });
    expect(tagInfo(audio(0x95, 0x11, ..."mp4a", 0))).toMatchObject({ codec: "mp4a", sequenceHeader: false });
  });

  it("finds metadata inside @setDataFrame", () => {
    const name = (text: string) => [2, 0, text.length, ...text] as const;
    expect(isMetadata(data(...name("@setDataFrame"), ...name("onMetaData"), 5))).toBe(true);
    expect(isMetadata(data(...name("@setDataFrame"), ...name("onCuePoint"), 5))).toBe(false);
    expect(tagInfo(data(...name("onCuePoint")))).toEqual({ kind: "data", name: "onCuePoint", metadata: false });
  });

  it("bears any body, the empty one included", () => {
    for (const type of ["audio", "video", "data"] as const) {
      expect(isKeyFrame({ type, timestamp: 0, data: new Uint8Array(0) })).toBe(false);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
          expect(tagInfo({ type, timestamp: 0, data: bytes }).kind).toBe(type);
        }),
      );
    }
    expect(tagInfo(video(0x90, ..."hv"))).toMatchObject({ codec: "unknown", keyFrame: false, sequenceHeader: false });
  });
});

describe("TimestampRebaser", () => {
  const at = (timestamp: number): FlvTag => ({ type: "data", timestamp, data: Uint8Array.of(1) });

  it(...rfc("B-9"), "puts the first tag at 0 and moves every other with it", () => {
    const rebaser = new TimestampRebaser();
    const times = [90_000, 90_040, 90_020, 90_000, 95_000].map((time) => rebaser.rebase(at(time)).timestamp);
    expect(times).toEqual([0, 40, 20, 0, 5_000]);
    expect(rebaser.position).toBe(5_000);
  });

  it(...rfc("B-9"), "follows a source that wraps, and wraps itself", () => {
    const rebaser = new TimestampRebaser(0xffffffff - 10);
    const times = [0xfffffff0, 0xffffffff, 5].map((time) => rebaser.rebase(at(time)).timestamp);
    expect(times).toEqual([0xffffffff - 10, 4, 10]);
    expect(rebaser.position).toBe(2 ** 32 + 10);
  });

  it(...rfc("B-8"), "refuses a tag from before the first one", () => {
    const rebaser = new TimestampRebaser(100);
    rebaser.rebase(at(1_000));
    expect(() => rebaser.rebase(at(999))).toThrow("a tag is 1 ms older than the first one");
    expect(rebaser.rebase(at(1_001)).timestamp).toBe(101);
  });
});

function fixture(name: string): FlvTag[] {
  return decodeFlv(readFileSync(new URL(`../../../../test/fixtures/${name}`, import.meta.url)));
}

function video(...body: readonly (number | string)[]): FlvTag {
  return { type: "video", timestamp: 0, data: bytesOf(body) };
}

function audio(...body: readonly (number | string)[]): FlvTag {
  return { type: "audio", timestamp: 0, data: bytesOf(body) };
}

function data(...body: readonly (number | string)[]): FlvTag {
  return { type: "data", timestamp: 0, data: bytesOf(body) };
}

function bytesOf(body: readonly (number | string)[]): Uint8Array {
  return Uint8Array.from(body, (item) => (typeof item === "string" ? item.charCodeAt(0) : item));
}

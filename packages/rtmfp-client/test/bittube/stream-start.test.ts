import { decodeFlv, type FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { StreamStart } from "../../src/bittube/stream-start.ts";
import { TAGS } from "../support/connections.ts";
import { configuration, inter, key, metadata, mp3, second, shown, sound, soundConfiguration } from "./support.ts";

const pass = (...tags: FlvTag[]): FlvTag[] => {
  const start = new StreamStart();
  return tags.flatMap((tag) => start.take(tag));
};

describe("StreamStart", () => {
  it(...rfc("P-4"), "begins with a key frame, metadata and both configurations in front of it at its time", () => {
    const joined = [inter(120), sound(130), metadata(0), soundConfiguration(0), configuration(0), inter(160)];
    expect(shown(pass(...joined, ...second(200)).slice(0, 6))).toEqual([
      "meta 200",
      "AVC1 200",
      "AAC 200",
      "key 200",
      "sound 200",
      "inter 400",
    ]);
  });

  it(...rfc("P-4"), "waits for the configuration of sound that has been heard, and then gives the whole group", () => {
    const tags = [sound(0), configuration(10), key(10), inter(50), sound(60)];
    expect(pass(...tags)).toEqual([]);
    expect(shown(pass(...tags, soundConfiguration(70), inter(90)))).toEqual([
      "AVC1 10",
      "AAC 10",
      "key 10",
      "inter 50",
      "sound 60",
      "inter 90",
    ]);
  });

  it(...rfc("P-4"), "waits for the next key frame when pictures come without configuration", () => {
    expect(shown(pass(key(0), inter(40), configuration(80), inter(120), key(160), inter(200)))).toEqual([
      "AVC1 160",
      "key 160",
      "inter 200",
    ]);
  });

  it(...rfc("P-4"), "does not begin with sound that came just ahead of pictures, however long they take", () => {
    const tags = [soundConfiguration(0), sound(0), configuration(3_900), key(3_900), sound(3_910)];
    expect(shown(pass(...tags))).toEqual(["AVC1 3900", "AAC 3900", "key 3900", "sound 3910"]);
  });

  it("begins with sound alone when no picture comes for a second", () => {
    const sounds = Array.from({ length: 52 }, (_, i) => mp3(i * 23));
    expect(shown(pass(...sounds)).slice(0, 2)).toEqual(["sound 1012", "sound 1035"]);
    expect(pass(...sounds, key(1_300))).toHaveLength(9);
    const command: FlvTag = { type: "video", timestamp: 0, data: Uint8Array.of(0x57, 0) };
    expect(shown(pass(command, ...sounds)).slice(0, 2)).toEqual(["sound 1012", "sound 1035"]);
  });

  it("begins with sound after 10 s where a configuration has come but no pictures, which begin with a key frame", () => {
    const sounds = Array.from({ length: 12 }, (_, i) => sound(i * 1_000));
    const tags = [metadata(0), configuration(0), soundConfiguration(0), ...sounds];
    expect(pass(...tags.slice(0, -2))).toEqual([]);
    expect(shown(pass(...tags, inter(11_040), key(11_080), inter(11_120)))).toEqual([
      "meta 10000",
      "AVC1 10000",
      "AAC 10000",
      "sound 10000",
      "sound 11000",
      "key 11080",
      "inter 11120",
    ]);
  });

  it(
    ...rfc("P-4"),
    "begins with sound after 10 s of pictures without a key frame, and with no picture ever without sound",
    () => {
      const pictures = Array.from({ length: 12 }, (_, i) => [inter(i * 1_000), mp3(i * 1_000)]).flat();
      expect(shown(pass(configuration(0), ...pictures, key(12_000)))).toEqual([
        "AVC1 10000",
        "sound 10000",
        "sound 11000",
        "key 12000",
      ]);
      expect(pass(...pictures.filter(({ type }) => type === "video"))).toEqual([]);
    },
  );

  it(
    ...rfc("P-4"),
    "lets pictures that come after sound begin with a key frame, and their configuration at once",
    () => {
      const sounds = Array.from({ length: 52 }, (_, i) => mp3(i * 23));
      const h263 = (timestamp: number, first: number): FlvTag => ({
        type: "video",
        timestamp,
        data: Uint8Array.of(first, 1),
      });
      const pictures = [h263(1_200, 0x22), h263(1_240, 0x12), h263(1_280, 0x22)];
      expect(pass(...sounds, ...pictures).slice(-2)).toEqual(pictures.slice(1));
      expect(shown(pass(...sounds, configuration(1_200), inter(1_200), key(1_240))).slice(-2)).toEqual([
        "AVC1 1200",
        "key 1240",
      ]);
    },
  );

  it("waits for no configuration that its codec can do without, and puts it first where it has come", () => {
    const vp9 = (timestamp: number, first: number): FlvTag => ({
      type: "video",
      timestamp,
      data: Uint8Array.of(first, ...Buffer.from("vp09"), 1),
    });
    const [header, picture] = [vp9(0, 0x90), vp9(40, 0x91)];
    expect(pass(picture)).toEqual([picture]);
    expect(pass(header, picture)).toEqual([{ ...header, timestamp: 40 }, picture]);
  });

  it("begins after 10 s with a key frame although a configuration has not come", () => {
    const tags = Array.from({ length: 12 }, (_, i) => key(i * 1_000));
    expect(shown(pass(...tags))).toEqual(["key 10000", "key 11000"]);
  });

  it("leaves a stream that begins as it should as it is", () => {
    expect(shown(pass(metadata(0), configuration(0), soundConfiguration(0), ...second(0)))).toEqual(
      shown([metadata(0), configuration(0), soundConfiguration(0), ...second(0)]),
    );
    const start = new StreamStart();
    const passed = TAGS.flatMap((tag) => start.take(tag));
    expect(passed.length + start.skipped).toBe(TAGS.length);
    expect(passed.length).toBeGreaterThan(TAGS.length - 5);
    expect(decodeFlv).toBeDefined();
  });
});

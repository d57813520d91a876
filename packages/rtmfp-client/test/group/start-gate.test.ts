import type { FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { StartGate } from "../../src/group/start-gate.ts";

const tag = (type: FlvTag["type"], ...bytes: number[]): FlvTag => ({
  type,
  timestamp: 0,
  data: Uint8Array.from(bytes),
});
const AVC = tag("video", 0x17, 0, 0, 0, 0, 1);
const OTHER_AVC = tag("video", 0x17, 0, 0, 0, 0, 2);
const KEY = tag("video", 0x17, 1, 0, 0, 0, 9);
const INTER = tag("video", 0x27, 1, 0, 0, 0, 9);
const AAC = tag("audio", 0xaf, 0, 0x12);
const SOUND = tag("audio", 0xaf, 1, 7);
const METADATA = tag("data", 2, 0, 10, ...Buffer.from("onMetaData"), 5);
const TEXT = tag("data", 2, 0, 6, ...Buffer.from("onText"), 5);

const at = (timestamp: number, each: FlvTag): FlvTag => ({ ...each, timestamp });

/** Which of the tags pass, one after another. */
function passing(gate: StartGate, tags: readonly FlvTag[]): FlvTag[] {
  return tags.filter((each) => gate.passes(each));
}

describe("the beginning of a stream that is joined late", () => {
  it(...rfc("P-4", "B-10"), "is a key frame, and sound, that can be decoded", () => {
    const gate = new StartGate();
    const tags = [SOUND, INTER, KEY, INTER, TEXT, AVC, INTER, SOUND, KEY, INTER, AAC, SOUND];
    expect(passing(gate, tags)).toEqual([TEXT, AVC, KEY, INTER, AAC, SOUND]);
  });

  it(...rfc("P-4"), "lets no sound ahead of pictures that are on their way", () => {
    const tags = [AAC, SOUND, INTER, SOUND, INTER, AVC, SOUND, KEY, SOUND];
    expect(passing(new StartGate(), tags)).toEqual([AAC, SOUND, AVC, KEY, SOUND]);
  });

  it("is sound that goes on, whatever video tags come that are no pictures, and with pictures from a key frame on", () => {
    const gate = new StartGate();
    const strays = [tag("video", 0x57, 0), tag("video", 0x17, 2, 0, 0, 0), AVC];
    expect(passing(gate, [AAC, ...strays, SOUND])).toEqual([AAC, AVC, SOUND]);
    expect(passing(gate, [at(1_000, SOUND), INTER, SOUND, KEY, INTER, SOUND])).toEqual([
      at(1_000, SOUND),
      SOUND,
      KEY,
      INTER,
      SOUND,
    ]);
  });

  it(...rfc("P-4"), "is sound after 10 s of pictures without a key frame", () => {
    const gate = new StartGate();
    const tags = Array.from({ length: 12 }, (_, s) => [at(s * 1_000, INTER), at(s * 1_000, SOUND)]).flat();
    expect(passing(gate, [AVC, AAC, ...tags])).toEqual([AVC, AAC, at(10_000, SOUND), at(11_000, SOUND)]);
    expect(passing(gate, [INTER, SOUND, KEY, INTER])).toEqual([SOUND, KEY, INTER]);
    gate.reset();
    expect(passing(gate, [AVC, AAC, INTER, at(1_000, SOUND)])).toEqual([AVC, AAC]);
  });

  it(...rfc("P-4"), "needs no configuration where the codec has none", () => {
    const [key, inter, mp3] = [tag("video", 0x12, 1), tag("video", 0x22, 1), tag("audio", 0x2f, 1)];
    expect(passing(new StartGate(), [mp3, inter, key, inter])).toEqual([mp3, key, inter]);
    const enhanced = tag("video", 0x91, ...Buffer.from("hvc1"), 0, 0, 0, 1);
    expect(new StartGate().passes(enhanced)).toBe(false);
    expect(new StartGate().passes(tag("video", 0x91, ...Buffer.from("vp09"), 1))).toBe(true);
  });

  it("leaves out what has been said before, and no news", () => {
    const gate = new StartGate();
    const tags = [METADATA, AVC, AAC, KEY, METADATA, AVC, AAC, INTER, OTHER_AVC, OTHER_AVC, TEXT, TEXT];
    expect(passing(gate, tags)).toEqual([METADATA, AVC, AAC, KEY, INTER, OTHER_AVC, TEXT, TEXT]);
  });

  it("comes again after a pause, and with another stream", () => {
    const gate = new StartGate();
    passing(gate, [AVC, AAC, KEY]);
    gate.awaitKeyFrame();
    expect(passing(gate, [INTER, SOUND, KEY, INTER])).toEqual([SOUND, KEY, INTER]);
    gate.reset();
    expect(passing(gate, [SOUND, KEY, AVC, AAC, INTER, SOUND, KEY])).toEqual([AVC, AAC, KEY]);
  });
});

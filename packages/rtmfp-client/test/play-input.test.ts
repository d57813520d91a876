import { encodeFlv, type FlvTag } from "rtmfp-core/flv";
import { MessageType, type TreeRecvFlow } from "rtmfp-core/tc";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { PlayInput } from "../src/play-input.ts";

const FLOWS = { audio: {} as TreeRecvFlow, video: {} as TreeRecvFlow };
const KEY = [0x17, 1];
const INTER = [0x27, 1];
const SOUND = [0xaf, 1];

function makeInput(): { input: PlayInput; got: string[]; lost: string[]; world: SimWorld } {
  const world = new SimWorld(1);
  const got: string[] = [];
  const lost: string[] = [];
  const host = {
    tag: (tag: FlvTag) => void got.push(`${tag.type} ${tag.timestamp}`),
    lost: (type: string) => void lost.push(type),
    status: () => {},
    data: () => {},
    begun: () => {},
  };
  const clock = { now: () => world.now, after: (ms: number, run: () => void) => world.after(ms, run) };
  return { input: new PlayInput(host, clock, 0), got, lost, world };
}

describe("a played stream", () => {
  it(
    ...rfc("R7425-5.1.1-10"),
    "leaves out pictures from a gap in their flow to the next key frame, and no sound",
    () => {
      const { input, got, lost } = makeInput();
      const say = (type: "audio" | "video", timestamp: number, payload: number[], missing = 0): void =>
        input.message({ type: MessageType[type], timestamp, payload: Uint8Array.from(payload) }, FLOWS[type], missing);
      say("video", 0, KEY);
      say("audio", 1, SOUND);
      say("audio", 2, SOUND, 3);
      say("video", 40, INTER);
      say("video", 80, INTER, 1);
      say("audio", 81, SOUND);
      say("video", 120, INTER);
      say("video", 160, KEY);
      say("video", 200, INTER);
      say("video", 240, KEY, 2);
      say("video", 280, INTER);
      expect(got).toEqual([
        ...["video 0", "audio 1", "audio 2", "video 40", "audio 81"],
        ...["video 160", "video 200", "video 240", "video 280"],
      ]);
      // Three gaps, and the two pictures that were left out.
      expect(lost).toEqual(["audio", "video", "video", "video", "video"]);
    },
  );

  it("takes aggregates apart, their times counted from the aggregate's", () => {
    const { input, got } = makeInput();
    const tags: FlvTag[] = [
      { type: "video", timestamp: 1_000, data: Uint8Array.from(KEY) },
      { type: "audio", timestamp: 1_010, data: Uint8Array.from(SOUND) },
      { type: "video", timestamp: 1_040, data: Uint8Array.from(INTER) },
    ];
    const payload = encodeFlv(tags).subarray(13);
    input.message({ type: MessageType.aggregate, timestamp: 50_000, payload }, FLOWS.video, 0);
    input.message({ type: MessageType.aggregate, timestamp: 60_000, payload: payload.subarray(5) }, FLOWS.video, 0);
    const inters = encodeFlv([tags[2] as FlvTag, tags[1] as FlvTag]).subarray(13);
    input.message({ type: MessageType.aggregate, timestamp: 70_000, payload: inters }, FLOWS.video, 1);
    expect(got).toEqual(["video 50000", "audio 50010", "video 50040", "audio 69970"]);
  });
});

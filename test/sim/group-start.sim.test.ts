import { NetStream } from "rtmfp-client";
import { type FlvTag, isKeyFrame, isSequenceHeader } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, GroupScene, soundAndPictures } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;
const spec = channelSpec();
/** The first three seconds are there at once, some 250 fragments. */
const BURST_MS = 3_000;

describe("the beginning of a group's stream is what viewers who have waited for it see first, of who publishes much at once", () => {
  it(...rfc("P-4", "G-3"), "as a member", () => begin(1, 3_000), TIMEOUT_MS);
  it(...rfc("P-4", "G-3"), "as soon as it has asked to join", () => begin(2, 0), TIMEOUT_MS);
});

/** Eight viewers wait; a sender publishes `joinedMs` after it has asked to join. */
async function begin(seed: number, joinedMs: number): Promise<void> {
  const scene = await new GroupScene(seed).start();
  const { world } = scene;
  const seen: FlvTag[][] = [];
  for (let i = 0; i < 8; i++) {
    const { nc } = await scene.connect(`viewer ${i}`, "port-restricted-cone");
    const view = new NetStream(nc, spec);
    void view.play("stream");
    seen.push(collect(view));
  }
  await world.runAsync(10_000);
  const { nc } = await scene.connect("sender", "port-restricted-cone");
  const cam = new NetStream(nc, spec);
  await world.runAsync(joinedMs);
  await world.settle(cam.publish("stream"), 10_000);
  const tags = [...soundAndPictures(12)];
  const burst = tags.filter(({ timestamp }) => timestamp < BURST_MS);
  for (const tag of burst) cam.writeTag(tag);
  await world.settle(cam.feed(tags.slice(burst.length)), 30_000);
  await world.runAsync(5_000);
  const [pictures, sounds] = [times(tags, "video"), times(tags, "audio")];
  for (const got of seen) {
    expect(isKeyFrame(got.find((tag) => tag.type === "video" && !isSequenceHeader(tag)) as FlvTag)).toBe(true);
    expect(times(got, "video")).toEqual(pictures);
    expect(times(got, "audio")).toEqual(sounds);
  }
}

/** When each frame of a kind is due, configurations aside. */
function times(tags: readonly FlvTag[], type: FlvTag["type"]): number[] {
  return tags.filter((tag) => tag.type === type && !isSequenceHeader(tag)).map(({ timestamp }) => timestamp);
}

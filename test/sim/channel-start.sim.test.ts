import { type NetConnection, NetGroup, NetStream } from "rtmfp-client";
import { realtime } from "rtmfp-client/bittube";
import { type FlvTag, isKeyFrame } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, GroupScene } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;
const spec = channelSpec();
const FRAME_MS = 40;

/** Ten seconds at 500 kbit/s and more with a key frame every four, all of it at once: of a live source, what there is. */
function* media(keyBytes: number): Generator<FlvTag> {
  const picture = (timestamp: number, size: number, ...head: number[]): FlvTag => {
    const data = new Uint8Array(size);
    data.set(head);
    return { type: "video", timestamp, data };
  };
  yield picture(0, 40, 0x17, 0);
  for (let timestamp = 0; timestamp < 10_000; timestamp += FRAME_MS)
    yield timestamp % 4_000 === 0 ? picture(timestamp, keyBytes, 0x17, 1) : picture(timestamp, 2_500, 0x27, 1);
}

/** Connected, and in the group. */
async function member(scene: GroupScene, name: string): Promise<NetConnection> {
  const { nc } = await scene.connect(name, "port-restricted-cone");
  new NetGroup(nc, spec);
  return nc;
}

describe("the beginning of a channel", () => {
  for (const [seed, viewers, leadMs, keyBytes] of [
    [1, 3, 3_000, 20_000],
    [10, 30, 3_000, 20_000],
    [3, 8, 0, 80_000],
  ] as const) {
    it(
      ...rfc("P-4", "B-3"),
      `is what ${viewers} viewers who have waited for it see first, of ${leadMs === 0 ? "a file" : "a live source"}`,
      async () => {
        const scene = await new GroupScene(seed).start();
        const { world } = scene;
        const clock = { now: () => world.now, after: (ms: number, run: () => void) => world.after(ms, run) };
        const { signal } = new AbortController();
        const seen: FlvTag[][] = [];
        for (let i = 0; i < viewers; i++) {
          const view = new NetStream(await member(scene, `viewer ${i}`), spec);
          void view.play("stream");
          seen.push(collect(view));
        }
        await world.runAsync(10_000);
        const cam = new NetStream(await member(scene, "sender"), spec);
        await world.runAsync(3_000);
        await world.settle(cam.publish("stream"), 10_000);
        const sending = (async () => {
          const tags = (async function* () {
            yield* media(keyBytes);
          })();
          for await (const tag of realtime(tags, { clock, leadMs, ready: () => cam.ready, signal })) cam.writeTag(tag);
        })();
        await world.settle(sending, 20_000);
        await world.runAsync(5_000);
        const sent = [...media(keyBytes)].slice(1).map(({ timestamp }) => timestamp);
        for (const got of seen) {
          const pictures = got.filter(({ data }) => data[1] === 1);
          expect(isKeyFrame(pictures[0] as FlvTag)).toBe(true);
          expect(pictures.map(({ timestamp }) => timestamp)).toEqual(sent);
        }
      },
      TIMEOUT_MS,
    );
  }
});

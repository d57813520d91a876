import { NetConnection, NetStream } from "rtmfp-client";
import { isOnAir } from "rtmfp-client/bittube";
import type { FlvTag } from "rtmfp-core/flv";
import type { NatKind, SimHost } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, GroupScene } from "./group-support.ts";
import { URL } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;
const spec = channelSpec();

/** Somebody far away from everybody else. */
async function connect(scene: GroupScene, name: string, latencyMs: number, loss: number, kind?: NatKind) {
  const { world } = scene;
  const behind = kind === undefined ? undefined : world.nat(`${name}-nat`, { kind, link: { latencyMs: 1 } });
  const host: SimHost = world.host(name, {
    link: { latencyMs, loss },
    ...(behind === undefined ? {} : { behind }),
  });
  const nc = new NetConnection({
    carrier: () => host.open([{ port: 0 }]),
    clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
    random: (n) => host.random(n),
  });
  await world.settle(nc.connect(URL), 60_000);
  return { nc, host };
}

/** The answer, and the ms that it took. */
async function look({ world }: GroupScene, nc: NetConnection): Promise<[boolean, number]> {
  const at = world.now;
  const answer = await world.settle(isOnAir(nc, spec, new AbortController().signal), 20_000);
  return [answer, world.now - at];
}

/** Ten pictures a second, of which one in `keyMs` is a key frame. */
function* pictures(keyMs: number): Generator<FlvTag> {
  yield { type: "video", timestamp: 0, data: Uint8Array.of(0x17, 0, 0, 0, 0, 1, 2, 3) };
  for (let timestamp = 0; timestamp < 120_000; timestamp += 100) {
    const data = new Uint8Array(2_000);
    data.set([timestamp % keyMs === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
    yield { type: "video", timestamp, data };
  }
}

describe("whether a channel is on air", () => {
  it(
    ...rfc("B-2"),
    "is seen from afar, through NATs and losses, long before the next key frame",
    async () => {
      for (const [seed, latencyMs, loss] of [
        [1, 15, 0],
        [2, 40, 0.02],
        [3, 75, 0.02],
        [4, 120, 0],
      ] as const) {
        const scene = await new GroupScene(seed).start();
        const sender = await connect(scene, "sender", latencyMs, loss, "port-restricted-cone");
        const cam = new NetStream(sender.nc, spec);
        await scene.world.settle(cam.publish("stream"), 10_000);
        cam.feed(pictures(60_000)).catch(() => {});
        await scene.world.runAsync(20_000);
        const { nc } = await connect(scene, "other", latencyMs, loss, "restricted-cone");
        const [isThere, ms] = await look(scene, nc);
        expect(isThere, `${latencyMs} ms`).toBe(true);
        expect(ms).toBeLessThan(6_000);
      }
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("B-2"),
    "is not said of one that nobody sends, or whose sender was killed, whoever still waits for it",
    async () => {
      const scene = await new GroupScene(5).start();
      const { world } = scene;
      const { nc } = await connect(scene, "other", 15, 0);
      const [first, alone] = await look(scene, nc);
      expect([first, alone < 1_500]).toEqual([false, true]);
      for (let i = 0; i < 3; i++) {
        const viewer = await connect(scene, `viewer${i}`, 20, 0);
        new NetStream(viewer.nc, spec).play("stream").catch(() => {});
      }
      await world.runAsync(3_000);
      const [second, waiting] = await look(scene, nc);
      expect([second, waiting < 4_500]).toEqual([false, true]);
      const sender = await connect(scene, "sender", 15, 0);
      const cam = new NetStream(sender.nc, spec);
      await world.settle(cam.publish("stream"), 5_000);
      cam.feed(pictures(2_000)).catch(() => {});
      await world.runAsync(10_000);
      expect((await look(scene, nc))[0]).toBe(true);
      world.filter(({ sender: from }) => (from === sender.host.name ? "drop" : undefined));
      await world.runAsync(500);
      const [third, killed] = await look(scene, nc);
      expect([third, killed < 6_000]).toEqual([false, true]);
    },
    TIMEOUT_MS,
  );
});

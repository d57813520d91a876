/** The same call over real sockets, with the delay and the loss inside the callers' own socket layer. */
import { performance } from "node:perf_hooks";
import { NetConnection, NetStream } from "rtmfp-client";
import { LinkCarrier, openUdpCarrier } from "rtmfp-core";
import { createServer } from "rtmfp-server";
import { camera } from "../support/camera.ts";
import { type Seen, Watch } from "../support/watch.ts";
import { FPS, GROUP, ONE_WAY_MS, REORDER_MS, START_MS, type V4Case } from "./cases.ts";

/** Streams for `seconds` of real time on loopback. */
export async function runReal(which: V4Case, seconds: number, seed: number): Promise<Seen> {
  const server = createServer({ host: "127.0.0.1", port: 0 });
  const { url } = await server.listen();
  const link = { delayMs: ONE_WAY_MS, loss: which.loss };
  const [alice, bob] = [1, 2].map(
    (end) =>
      new NetConnection({
        carrier: async () =>
          new LinkCarrier(await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]), { ...link, seed: seed + end }),
      }),
  ) as [NetConnection, NetConnection];
  try {
    await Promise.all([alice.connect(`${url}/v4`), bob.connect(`${url}/v4`)]);
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    if (which.drops) cam.videoReliable = false;
    await cam.publish("cam");
    const view = new NetStream(bob, alice.nearID, { reorderMs: REORDER_MS });
    await view.play("cam");
    const watch = new Watch(GROUP, START_MS);
    const startedAt = performance.now();
    const tags = camera({ seconds, bitsPerSecond: which.bitsPerSecond, fps: FPS, group: GROUP });
    const feeding = cam.feed(tags).then(() => cam.close());
    for await (const tag of view) watch.see(tag, performance.now(), startedAt);
    await feeding;
    return watch.figures(seconds * FPS);
  } finally {
    await Promise.all([alice.close(), bob.close()]);
    await server.close();
  }
}

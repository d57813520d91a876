/** A video call in virtual time, one way: camera, network, viewer. */
import { NetStream } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { SimWorld } from "rtmfp-core/testing";
import { makeClient, startServer, URL } from "../sim/support.ts";
import { camera } from "../support/camera.ts";
import { type Seen, Watch } from "../support/watch.ts";
import { FPS, GROUP, ONE_WAY_MS, REORDER_MS, START_MS, type V4Case } from "./cases.ts";

/** What came of a run. */
export interface Outcome {
  readonly seen: Seen;
  /** Bytes of heap after garbage collection, at equal times from the first tenth of the run to its end. */
  readonly heap: readonly number[];
}

/** Streams for `seconds` of virtual time. `gc` collects garbage; without it the heap is not looked at. */
export async function runVirtual(which: V4Case, seconds: number, seed: number, gc?: () => void): Promise<Outcome> {
  const world = new SimWorld(seed);
  const server = await startServer(world);
  const { nc: alice, host: aliceHost } = makeClient(world, "alice");
  const { nc: bob, host: bobHost } = makeClient(world, "bob");
  await world.settle(Promise.all([alice.connect(URL), bob.connect(URL)]), 10_000);
  const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
  if (which.drops) cam.videoReliable = false;
  await cam.publish("cam");
  const view = new NetStream(bob, alice.nearID, { reorderMs: REORDER_MS });
  await world.settle(view.play("cam"), 10_000);
  for (const { link } of [aliceHost, bobHost]) {
    link.set({ latencyMs: ONE_WAY_MS / 2 });
    link.up.set({ loss: which.loss });
  }
  const watch = new Watch(GROUP, START_MS);
  const startedAt = world.now;
  const watching = (async () => {
    for await (const tag of view) watch.see(tag, world.now, startedAt);
  })();
  const tags: Iterable<FlvTag> = camera({ seconds, bitsPerSecond: which.bitsPerSecond, fps: FPS, group: GROUP });
  const feeding = cam.feed(tags).then(() => cam.close());
  const heap: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    await world.runAsync((seconds * 1_000) / STEPS);
    if (gc === undefined) continue;
    gc();
    heap.push(process.memoryUsage().heapUsed);
  }
  await world.settle(Promise.all([feeding, watching]), 60_000);
  await world.settle(Promise.all([alice.close(), bob.close(), server.close()]), 200_000);
  return { seen: watch.figures(seconds * FPS), heap };
}

const STEPS = 10;

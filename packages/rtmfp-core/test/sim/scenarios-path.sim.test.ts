import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { endsClean, longestPause, openScene, ordered, type Scene, SEEDS, stream } from "./scenario.ts";

/** 6 s of traffic both ways at 200 KB/s, with a change after 2 s: all arrives, and the longest pause after it is told. */
async function through(scene: Scene, change: (scene: Scene) => void): Promise<number> {
  const { world, near, far } = scene;
  const load = { count: 600, size: 2_000, paceMs: 10 };
  const streams = [
    stream(world, near, far, { ...load, name: "up" }),
    stream(world, far, near, { ...load, name: "down" }),
  ];
  await world.runAsync(2_000);
  const at = world.now;
  change(scene);
  await world.settle(Promise.all(streams.map(({ done }) => done)), 300_000);
  for (const { got } of streams) expect(got).toEqual(ordered(600));
  expect([scene.client.sessions.size, scene.server.sessions.size]).toEqual([1, 1]);
  const pause = Math.max(...streams.map((one) => longestPause(one, at, Math.max(...one.at))));
  await endsClean(scene);
  return pause;
}

describe("a path that changes under load", () => {
  it("from 20 ms and 20 Mbit/s to 200 ms and 2 Mbit/s, and back, loses nothing and pauses for 2 s at most", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 9, jitterMs: 3, bitsPerSecond: 20_000_000 });
      const pause = await through(scene, ({ world, clientHost }) => {
        clientHost.link.set({ latencyMs: 99, bitsPerSecond: 2_000_000 });
        world.after(2_000, () => clientHost.link.set({ latencyMs: 9, bitsPerSecond: 20_000_000 }));
      });
      expect(pause).toBeLessThan(2_000);
    }
  });

  it("by a new address of the client, or a NAT that forgets, pauses for 2 s at most", async () => {
    for (const seed of SEEDS) {
      const moving = await openScene(seed, { latencyMs: 20, jitterMs: 3, bitsPerSecond: 20_000_000 });
      const move = ({ clientHost }: Scene): void => clientHost.move({ addresses: ["203.0.113.7"] });
      expect(await through(moving, move)).toBeLessThan(2_000);
      const world = new SimWorld(seed);
      const nat = world.nat("nat", { kind: "port-restricted-cone" });
      const behind = await openScene(seed, { latencyMs: 20, jitterMs: 3 }, {}, { world, client: { behind: nat } });
      expect(await through(behind, () => nat.rebind())).toBeLessThan(2_000);
    }
  });
});

describe("a path that takes only small datagrams", () => {
  /** Drops, without a word, what is larger; gives the largest datagram that was tried. */
  function narrow(world: SimWorld, bytes: number): () => number {
    let largest = 0;
    world.filter((datagram) => {
      largest = Math.max(largest, datagram.bytes.length);
      return datagram.bytes.length > bytes ? "drop" : undefined;
    });
    return () => largest;
  }

  it("is used within that size by ends that were told it, in all groups, startup included", async () => {
    for (const limit of [300, 548]) {
      for (const group of [31, 14, 2]) {
        const world = new SimWorld(limit + group);
        const largest = narrow(world, limit);
        const options = { datagramBytes: limit, crypto: { groups: [group] } };
        const scene = await openScene(1, { latencyMs: 20, loss: 0.05 }, options, { world });
        const { got, done } = stream(world, scene.near, scene.far, { count: 50, size: 5_000 });
        await world.settle(done, 60_000);
        expect(got).toEqual(ordered(50));
        expect(largest()).toBeLessThanOrEqual(limit);
        await endsClean(scene);
      }
    }
  });

  it("and whose routers say so is crossed in fragments of IP, without being told", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      scene.clientHost.link.set({ mtu: 576 });
      const { got, done } = stream(scene.world, scene.near, scene.far, { count: 100, size: 5_000 });
      await scene.world.settle(done, 30_000);
      expect(got).toEqual(ordered(100));
      await endsClean(scene);
    }
  });
});

import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { toHex } from "../../src/proto/bytes.ts";
import { endsClean, openScene, ordered, type Scene, SEEDS, stream } from "./scenario.ts";
import { ManualWindow } from "./send-bench.ts";

/** Every so often, a datagram of the client reaches the server only after `by` later ones, or 100 ms. Gives the displacements. */
function holdBack({ world, serverHost }: Scene, every: number, by: number): number[] {
  const displaced: number[] = [];
  const late = new Set<string>();
  const held: { release: () => void; passed: number }[] = [];
  let count = 0;
  world.filter(({ from, to, bytes, sender }) => {
    const key = toHex(bytes);
    if (sender !== "client" || late.delete(key)) return undefined;
    for (const one of held) if (++one.passed === by) one.release();
    if (++count % every !== 0) return undefined;
    const copy = bytes.slice();
    const one = {
      passed: 0,
      release: (): void => {
        const index = held.indexOf(one);
        if (index < 0) return;
        held.splice(index, 1);
        displaced.push(one.passed);
        late.add(key);
        serverHost.inject(from, to, copy);
      },
    };
    held.push(one);
    world.after(100, one.release);
    return "drop";
  }, "delivered");
  return displaced;
}

describe("datagrams that 64 later ones overtake", () => {
  it("are taken, none of them as a replay, and messages stay in order", async () => {
    for (const seed of SEEDS) {
      const link = { latencyMs: 20, bitsPerSecond: 50_000_000, queueBytes: 2_000_000 };
      // What is late is taken for lost: a window that fell with it would let fewer than 64 overtake.
      const congestion = (): ManualWindow => Object.assign(new ManualWindow(), { window: 300_000 });
      const scene = await openScene(seed, link, { congestion });
      const { world, near, far, server } = scene;
      const displaced = holdBack(scene, 200 + 7 * seed, 64);
      const start = world.now;
      const { got, done } = stream(world, near, far, { count: 800, size: 4_000 });
      await world.settle(done, 60_000);
      expect(got).toEqual(ordered(800));
      expect(world.now - start).toBeLessThan(8_000);
      expect(Math.max(...displaced)).toBe(64);
      expect(displaced.filter((by) => by === 64).length).toBeGreaterThan(1);
      expect(server.stats.replayed + server.stats.badVerify).toBe(0);
      // A datagram holds a fragment or two: that it is late costs little more than sending those again.
      expect(near.stats.fragmentsRetransmitted).toBeLessThanOrEqual(4 * displaced.length);
      expect(near.stats.timeouts).toBe(0);
      await endsClean(scene);
    }
  });

  it("are given as they come, each once, to a receiver that wants no order", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20, bitsPerSecond: 50_000_000, queueBytes: 2_000_000 });
      const { world, near, far } = scene;
      holdBack(scene, 200 + 7 * seed, 64);
      const got: number[] = [];
      far.onFlow = (flow) => {
        flow.accept({ order: "network" });
        flow.onMessage = (message) => got.push(new DataView(message.buffer, message.byteOffset).getUint32(0));
      };
      const flow = near.openFlow("unordered");
      for (let i = 0; i < 800; i++) {
        await world.settle(flow.ready, 60_000);
        const message = new Uint8Array(1_000);
        new DataView(message.buffer).setUint32(0, i);
        flow.write(message);
      }
      await world.settle(flow.close(), 60_000);
      expect(got).not.toEqual(ordered(800));
      expect(got.sort((a, b) => a - b)).toEqual(ordered(800));
      await endsClean(scene);
    }
  });
});

describe("the last datagrams of a flight", () => {
  /** Writes `count` messages of a datagram each, closes the flow, loses the last `lost`; gives the time until all is acknowledged. */
  async function finish(seed: number, count: number, lost: number): Promise<number> {
    const scene = await openScene(seed, { latencyMs: 40 });
    const { world, near, far } = scene;
    const warm = stream(world, near, far, { count: 8, size: 100, paceMs: 100, name: "warm" });
    await world.settle(warm.done, 10_000);
    await world.runAsync(1_000);
    let sent = 0;
    const start = world.now;
    world.filter(({ sender, bytes }) => {
      const isData = sender === "client" && bytes.length > 300;
      return isData && ++sent > count - lost && sent <= count ? "drop" : undefined;
    });
    const { got, done } = stream(world, near, far, { count, size: 1_000 });
    await world.settle(done, 60_000);
    const ms = world.now - start;
    expect(got).toEqual(ordered(count));
    await endsClean(scene);
    return ms;
  }

  it("are recovered within a second, whether one, some or all of them are lost", async () => {
    for (const seed of SEEDS) {
      for (const lost of [1, 2, 3]) expect(await finish(seed, 3, lost)).toBeLessThan(1_000);
      for (const lost of [1, 3, 5, 6]) expect(await finish(seed, 6, lost)).toBeLessThan(1_000);
    }
  });

  it("are recovered when the probe and the retransmission are lost too", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 40 });
      const { world, near, far } = scene;
      const warm = stream(world, near, far, { count: 8, size: 100, paceMs: 100, name: "warm" });
      await world.settle(warm.done, 10_000);
      let lost = 0;
      world.filter(({ sender, bytes }) =>
        sender === "client" && bytes.length > 300 && lost++ < 3 + seed ? "drop" : undefined,
      );
      const start = world.now;
      const { got, done } = stream(world, near, far, { count: 3, size: 1_000 });
      await world.settle(done, 60_000);
      expect(got).toEqual(ordered(3));
      expect(world.now - start).toBeLessThan(3_000);
      await endsClean(scene);
    }
  });
});

import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import type { LinkOptions } from "../../src/testing/index.ts";
import { endsClean, openScene, ordered, type Scene, SEEDS, stream } from "./scenario.ts";

interface Outcome extends Scene {
  /** Until everything was delivered both ways. */
  readonly ms: number;
}

/** Sends 150 messages of 4,000 bytes each way at the same time; all must arrive once and in order, and all be released. */
async function exchange(
  seed: number,
  link: Partial<LinkOptions>,
  worsen: (scene: Scene) => void = () => {},
): Promise<Outcome> {
  const scene = await openScene(seed);
  const { world, near, far, clientHost } = scene;
  clientHost.link.set({ latencyMs: 20, bitsPerSecond: 10_000_000, ...link });
  worsen(scene);
  const start = world.now;
  const [up, down] = [
    stream(world, near, far, { count: 150, size: 4_000, name: "up" }),
    stream(world, far, near, { count: 150, size: 4_000, name: "down" }),
  ];
  await world.settle(Promise.all([up.done, down.done]), 1_200_000);
  const ms = world.now - start;
  expect(up.got).toEqual(ordered(150));
  expect(down.got).toEqual(ordered(150));
  clientHost.link.set({ loss: 0, burst: undefined });
  await endsClean(scene);
  return { ...scene, ms };
}

/** Runs the exchange for each seed, and gives the longest time. */
async function slowest(link: Partial<LinkOptions>, worsen?: (scene: Scene) => void): Promise<number> {
  let ms = 0;
  for (const seed of SEEDS) ms = Math.max(ms, (await exchange(seed, link, worsen)).ms);
  return ms;
}

describe("data both ways at once arrives once, in order, and in good time", () => {
  it("on a path without faults", async () => {
    expect(await slowest({})).toBeLessThan(1_000);
  });

  it("when 1 % of all datagrams are lost", async () => {
    expect(await slowest({ loss: 0.01 })).toBeLessThan(5_000);
  });

  it("when 5 % of all datagrams are lost", async () => {
    expect(await slowest({ loss: 0.05 })).toBeLessThan(10_000);
  });

  it("when 30 % of all datagrams are lost", async () => {
    expect(await slowest({ loss: 0.3 })).toBeLessThan(60_000);
  });

  it("when losses come in bursts of ten", async () => {
    expect(await slowest({ burst: { enter: 0.004, leave: 0.1 } })).toBeLessThan(10_000);
  });

  it("when everything is lost for 300 ms in each second", async () => {
    const ms = await slowest({}, ({ world, clientHost, serverHost }) => {
      for (let i = 0; i < 60; i++) world.at(100 + i * 1_000, () => world.partition([clientHost], [serverHost], 300));
    });
    expect(ms).toBeLessThan(6_000);
  });

  it("when a quarter of all datagrams arrive twice", async () => {
    expect(await slowest({ duplicate: 0.25 })).toBeLessThan(1_500);
  });

  it("when the delay varies by up to 200 ms", async () => {
    expect(await slowest({ jitterMs: 200 })).toBeLessThan(10_000);
  });

  it("when only acknowledgements are lost, half of them", async () => {
    const outcomes: Outcome[] = [];
    for (const seed of SEEDS) {
      // What the client sends is short unless it is data.
      const worsen = ({ world }: Scene): void => {
        world.filter(({ bytes }) => (bytes.length < 200 && (world.random(1)[0] as number) < 128 ? "drop" : undefined));
      };
      outcomes.push(await exchange(seed, {}, worsen));
    }
    for (const { ms } of outcomes) expect(ms).toBeLessThan(3_000);
  });
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { Session } from "../../src/index.ts";
import { endsClean, openScene, ordered, type Scene, SEEDS, stream } from "./scenario.ts";

/** Timestamps count 4 ms in 16 bits. */
const WRAP_MS = 262_144;

/** A session of 40 ms and a little, whose client's timestamps wrap `ms` after the start; the server's do after 262 s. */
function sceneWrappingAt(seed: number, ms: number): Promise<Scene> {
  const client = { addresses: ["192.0.2.1"], clockOffsetMs: 7 * WRAP_MS - ms };
  return openScene(seed, { latencyMs: 19 }, { keepaliveMs: 0 }, { client });
}

function roundTripIsRight(...sessions: Session[]): void {
  for (const { stats } of sessions) {
    if (stats.srtt === undefined) continue;
    expect(stats.srtt).toBeGreaterThanOrEqual(36);
    expect(stats.srtt).toBeLessThan(56);
    expect(stats.erto).toBeLessThan(400);
  }
}

describe("timestamps that wrap", () => {
  it(...rfc("R7016-3.5.2.2-12"), "in mid-traffic leave the round-trip time right, at each moment", async () => {
    for (const seed of SEEDS) {
      const scene = await sceneWrappingAt(seed, 20_000 + seed);
      const { world, near, far } = scene;
      const count = 2_950;
      const up = stream(world, near, far, { count, size: 100, paceMs: 100, name: "up" });
      const down = stream(world, far, near, { count, size: 100, paceMs: 100, name: "down" });
      await world.runAsync(1_000);
      for (let ms = 0; ms < 290_000; ms += 200) {
        await world.runAsync(200);
        roundTripIsRight(near, far);
      }
      await world.settle(Promise.all([up.done, down.done]), 60_000);
      expect([up.got, down.got]).toEqual([ordered(count), ordered(count)]);
      expect([near.stats.timeouts, far.stats.timeouts]).toEqual([0, 0]);
      await endsClean(scene);
    }
  });

  it(
    ...rfc("R7016-3.5.2.2-07"),
    "leave it right too when there is silence before, until or beyond the wrap",
    async () => {
      for (const seed of SEEDS) {
        for (const silenceMs of [60_000, 127_000, 140_000, WRAP_MS, 2 * WRAP_MS + 60_000]) {
          const scene = await sceneWrappingAt(seed, 1_000 + silenceMs / 2);
          const { world, near, far } = scene;
          for (const [i, [from, to]] of [
            [near, far],
            [far, near],
            [near, far],
          ].entries()) {
            const { got, done } = stream(world, from as Session, to as Session, { count: 5, size: 100, name: `${i}` });
            await world.settle(done, 5_000);
            expect(got).toEqual(ordered(5));
            roundTripIsRight(near, far);
            await world.runAsync(silenceMs + i * seed);
          }
          await endsClean(scene);
        }
      }
    },
  );
});

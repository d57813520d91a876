import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import type { SimHost } from "../../src/testing/index.ts";
import { endsClean, longestPause, openScene, ordered, type Scene, SEEDS, type Stream, stream } from "./scenario.ts";
import { SERVER_ADDRESS } from "./support.ts";

/** Messages both ways, 20 a second each, for so long. */
function traffic({ world, near, far }: Scene, forMs: number): readonly [Stream, Stream] {
  const load = { count: forMs / 50, size: 1_000, paceMs: 50 };
  return [stream(world, near, far, { ...load, name: "up" }), stream(world, far, near, { ...load, name: "down" })];
}

/** Lets something happen to a host after 5 s of traffic both ways; everything arrives, and this is the longest pause after it. */
async function upset(
  seed: number,
  which: "clientHost" | "serverHost",
  happen: (host: SimHost, scene: Scene) => number,
  keepaliveMs = 30_000,
): Promise<number> {
  const scene = await openScene(seed, { latencyMs: 20 }, { keepaliveMs });
  const { world, near, far } = scene;
  await world.runAsync(seed * 17);
  const streams = traffic(scene, 20_000);
  await world.runAsync(5_000);
  const end = world.now + happen(scene[which], scene);
  await world.runAsync(end + 1_000 - world.now);
  // What the upset end measures is right at once; the other end saw late answers, and must forget them.
  const own = (which === "clientHost" ? near : far).stats;
  expect(own.srtt).toBeLessThan(60);
  expect(own.erto).toBeLessThan(500);
  await world.settle(Promise.all(streams.map(({ done }) => done)), 600_000);
  for (const { got } of streams) expect(got).toEqual(ordered(400));
  for (const { stats, isOpen } of [near, far]) {
    expect(isOpen).toBe(true);
    expect(stats.srtt).toBeLessThan(200);
    expect(stats.erto).toBeLessThan(1_000);
  }
  const pause = Math.max(...streams.map((one) => longestPause(one, end, Math.max(...one.at))));
  await endsClean(scene);
  return pause;
}

const HOSTS = ["clientHost", "serverHost"] as const;

describe("a process that is stopped while its clock goes on", () => {
  it("for 5 or 20 s goes on with everything, and its round-trip times with it", async () => {
    for (const which of HOSTS) {
      for (const ms of [5_000, 20_000]) {
        for (const seed of SEEDS) {
          const pause = await upset(seed, which, (host) => {
            host.freeze(ms);
            return ms;
          });
          expect(pause).toBeLessThan(1_000);
        }
      }
    }
  });

  it("for 3 min finds its session gone, is told so within a minute, and connects anew", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      const { world, near, far, client, server, clientHost } = scene;
      const outcomes = Promise.all(
        traffic(scene, 300_000).map(({ done }) => done.catch((error: { code: string }) => error.code)),
      );
      await world.runAsync(5_000);
      clientHost.freeze(180_000);
      expect(await world.settle(far.closed, 60_100)).toBe("timeout");
      await world.runAsync(180_000);
      expect(await world.settle(near.closed, 60_100)).toBe("timeout");
      expect(await world.settle(outcomes, 1_000)).toEqual(["FLOW_CLOSED", "FLOW_CLOSED"]);
      await world.settle(client.connect(SERVER_ADDRESS), 5_000);
      expect([client.sessions.size, server.sessions.size]).toEqual([1, 1]);
    }
  });
});

describe("a machine that sleeps for 5 min", () => {
  /** Nothing is received and no time passes for it, as on Linux; the network forgets it. */
  function sleep(host: SimHost, { world, clientHost, serverHost }: Scene): number {
    const ms = 300_000;
    world.partition([clientHost], [serverHost], ms);
    world.after(ms, () => host.stepClock(-ms));
    host.freeze(ms);
    return ms;
  }

  it("without its clock goes on where it was, if the far end's keepalive allows", async () => {
    for (const which of HOSTS) {
      for (const seed of SEEDS) {
        expect(await upset(seed, which, sleep, 600_000)).toBeLessThan(1_000);
      }
    }
  });

  it("without its clock learns within a minute that the far end has given up", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      const { world, near, far, client } = scene;
      await world.runAsync(5_000);
      const ms = sleep(scene.clientHost, scene);
      expect(await world.settle(far.closed, 60_100)).toBe("timeout");
      await world.runAsync(ms - 40_000);
      expect(await world.settle(near.closed, 60_100)).toBe("timeout");
      await world.settle(client.connect(SERVER_ADDRESS), 5_000);
    }
  });
});

describe("a clock that jumps", () => {
  it("forward by 5 min or 10 h ends no session and loses nothing", async () => {
    for (const ms of [300_000, 36_000_000]) {
      for (const which of HOSTS) {
        for (const seed of SEEDS) {
          const pause = await upset(seed, which, (host) => {
            host.stepClock(ms);
            return 0;
          });
          expect(pause).toBeLessThan(1_000);
        }
      }
    }
  });

  it("back by 5 min or 10 h, which it must not, does no harm either", async () => {
    for (const ms of [300_000, 36_000_000]) {
      for (const which of HOSTS) {
        for (const seed of SEEDS) {
          const pause = await upset(seed, which, (host) => {
            host.stepClock(-ms);
            return 0;
          });
          expect(pause).toBeLessThan(1_000);
        }
      }
    }
  });

  it("back by 10 h does not keep a server from taking new sessions, nor from answering Pings", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      const { world, near, server, serverHost, clientHost } = scene;
      near.ping();
      await world.runAsync(1_000);
      serverHost.stepClock(-36_000_000);
      let pongs = 0;
      near.onPong = () => pongs++;
      for (let i = 0; i < 20; i++) {
        near.ping();
        await world.runAsync(100);
      }
      expect(pongs).toBe(20);
      expect(clientHost.clockOffsetMs).toBe(0);
      expect(server.stats.pingsRefused).toBe(0);
    }
  });
});

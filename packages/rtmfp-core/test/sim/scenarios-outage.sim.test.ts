import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import type { Session } from "../../src/index.ts";
import { endsClean, longestPause, openScene, ordered, type Scene, SEEDS, type Stream, stream } from "./scenario.ts";
import { SERVER_ADDRESS } from "./support.ts";

/** Which datagrams an outage keeps back, seen from the client. */
type Direction = "up" | "down" | "both";

const DIRECTIONS: readonly Direction[] = ["up", "down", "both"];

function cut({ world, clientHost, serverHost }: Scene, direction: Direction, ms: number): void {
  if (direction !== "down") world.block([clientHost], [serverHost], ms);
  if (direction !== "up") world.block([serverHost], [clientHost], ms);
}

/** Messages both ways, 20 a second each, for so long. */
function traffic({ world, near, far }: Scene, forMs: number): readonly [Stream, Stream] {
  const load = { count: forMs / 50, size: 1_000, paceMs: 50 };
  return [stream(world, near, far, { ...load, name: "up" }), stream(world, far, near, { ...load, name: "down" })];
}

/** Both ways lasting through an outage: everything arrives; gives how long after its end each way paused at most. */
async function surviveOutage(seed: number, direction: Direction, ms: number, keepaliveMs: number): Promise<number[]> {
  const scene = await openScene(seed, { latencyMs: 20 }, { keepaliveMs });
  const { world } = scene;
  const streams = traffic(scene, ms + 20_000);
  await world.runAsync(5_000 + seed * 37);
  cut(scene, direction, ms);
  const end = world.now + ms;
  await world.settle(Promise.all(streams.map(({ done }) => done)), 300_000);
  for (const { got } of streams) expect(got).toEqual(ordered((ms + 20_000) / 50));
  expect([scene.client.sessions.size, scene.server.sessions.size]).toEqual([1, 1]);
  expect([scene.near.isOpen, scene.far.isOpen]).toEqual([true, true]);
  const pauses = streams.map((one) => longestPause(one, end, end + 15_000));
  await endsClean(scene);
  return pauses;
}

async function closing(session: Session, scene: Scene, limitMs: number): Promise<{ ms: number; reason: string }> {
  const start = scene.world.now;
  const reason = await scene.world.settle(session.closed, limitMs);
  return { ms: scene.world.now - start, reason };
}

/** By default an end gives up 30 s and 10 s after the last packet, or three Pings later if ERTO has grown to its 10 s. */
const MIN_DEATH_MS = 39_900;
const MAX_DEATH_MS = 60_100;

describe("an outage of 5 s", () => {
  it("upwards, downwards or both ways loses nothing, and data flows again within 3 s", async () => {
    for (const direction of DIRECTIONS) {
      for (const seed of SEEDS) {
        expect(Math.max(...(await surviveOutage(seed, direction, 5_000, 30_000)))).toBeLessThan(3_000);
      }
    }
  });
});

describe("an outage of 60 s", () => {
  it("upwards, downwards or both ways is survived with a keepalive of 60 s, and data flows again within ERTO's 10 s", async () => {
    for (const direction of DIRECTIONS) {
      for (const seed of SEEDS) {
        expect(Math.max(...(await surviveOutage(seed, direction, 60_000, 60_000)))).toBeLessThan(10_100);
      }
    }
  });

  it("both ways ends a busy session at both ends by default, and the client can connect anew", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      const { world, near, far, client, server } = scene;
      const streams = traffic(scene, 100_000);
      const outcomes = Promise.all(streams.map(({ done }) => done.catch((error: { code: string }) => error.code)));
      await world.runAsync(5_000);
      cut(scene, "both", 60_000);
      const ends = await Promise.all([near, far].map((end) => closing(end, scene, 60_000)));
      for (const { ms, reason } of ends) {
        expect(reason).toBe("timeout");
        expect(ms).toBeGreaterThanOrEqual(MIN_DEATH_MS);
        expect(ms).toBeLessThanOrEqual(MAX_DEATH_MS);
      }
      expect(await world.settle(outcomes, 1_000)).toEqual(["FLOW_CLOSED", "FLOW_CLOSED"]);
      for (const { got } of streams) expect(got).toEqual(ordered(got.length));
      await world.runAsync(20_000);
      await world.settle(client.connect(SERVER_ADDRESS), 5_000);
      expect([client.sessions.size, server.sessions.size]).toEqual([1, 1]);
    }
  });

  it("one way ends first the session of the end that hears nothing, then the other's", async () => {
    for (const direction of ["up", "down"] as const) {
      for (const seed of SEEDS) {
        const scene = await openScene(seed, { latencyMs: 20 });
        const { world, near, far, client, server } = scene;
        const streams = traffic(scene, 200_000);
        const outcomes = Promise.all(streams.map(({ done }) => done.catch((error: { code: string }) => error.code)));
        await world.runAsync(5_000);
        cut(scene, direction, 60_000);
        const [deaf, other] = direction === "up" ? [far, near] : [near, far];
        const ends = [closing(deaf, scene, 60_000), closing(other, scene, 150_000)] as const;
        const [first, second] = await Promise.all(ends);
        expect([first.reason, second.reason]).toEqual(["timeout", "timeout"]);
        expect(first.ms).toBeGreaterThanOrEqual(MIN_DEATH_MS);
        expect(first.ms).toBeLessThanOrEqual(MAX_DEATH_MS);
        expect(second.ms).toBeGreaterThan(first.ms);
        expect(second.ms - first.ms).toBeLessThanOrEqual(MAX_DEATH_MS);
        expect(await world.settle(outcomes, 1_000)).toEqual(["FLOW_CLOSED", "FLOW_CLOSED"]);
        expect([client.sessions.size, server.sessions.size]).toEqual([0, 0]);
        await world.runAsync(200_000);
        expect(world.step()).toBe(false);
      }
    }
  });

  it("both ways ends an idle session at both ends 40 s after the last packet", async () => {
    for (const seed of SEEDS) {
      const scene = await openScene(seed, { latencyMs: 20 });
      const { world, near, far, clientHost, serverHost } = scene;
      await world.runAsync(1_000 * seed);
      let lastAt = world.now;
      world.filter(() => {
        lastAt = world.now;
        return undefined;
      }, "delivered");
      await world.runAsync(60_000);
      world.partition([clientHost], [serverHost], 60_000);
      const start = world.now;
      const ends = await Promise.all([near, far].map((end) => closing(end, scene, 60_000)));
      for (const { ms, reason } of ends) {
        expect(reason).toBe("timeout");
        expect(start + ms - lastAt).toBeGreaterThanOrEqual(MIN_DEATH_MS);
        expect(start + ms - lastAt).toBeLessThan(43_000);
      }
      await world.runAsync(200_000);
      expect(world.step()).toBe(false);
    }
  });

  it("of an idle session is not noticed if it ends before the keepalive gives up", async () => {
    for (const direction of DIRECTIONS) {
      for (const seed of SEEDS) {
        const scene = await openScene(seed, { latencyMs: 20 }, { keepaliveMs: 60_000 });
        await scene.world.runAsync(1_000 * seed);
        cut(scene, direction, 60_000);
        await scene.world.runAsync(200_000);
        expect([scene.near.isOpen, scene.far.isOpen]).toEqual([true, true]);
        const { got, done } = stream(scene.world, scene.near, scene.far, { count: 10, size: 5_000 });
        await scene.world.settle(done, 1_000);
        expect(got).toEqual(ordered(10));
        await endsClean(scene);
      }
    }
  });
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { RecvFlow } from "../../src/index.ts";
import { checkInFlight, endsClean, openScene, ordered, SEEDS, stream } from "./scenario.ts";
import { numbered, numberOf } from "./support.ts";

describe("1,000 flows in one session", () => {
  it(...rfc("R7016-3.6.1.2-02"), "over links that lose carry their own messages, end, and free their IDs", async () => {
    for (const seed of [1, 2, 3]) {
      const scene = await openScene(seed, { latencyMs: 20, loss: 0.03 });
      const { world, near, far } = scene;
      const got = new Map<string, number[]>();
      far.onFlow = (flow) => {
        const numbers: number[] = [];
        got.set(flow.name, numbers);
        flow.onMessage = (message) => numbers.push(numberOf(message));
      };
      const flows = Array.from({ length: 1_000 }, (_, i) => near.openFlow(`flow ${i}`));
      for (const flow of flows) for (let i = 0; i < 5; i++) flow.write(numbered(i, 300));
      expect(new Set(flows.map(({ id }) => id)).size).toBe(1_000);
      await world.settle(Promise.all(flows.map((flow) => flow.close())), 120_000);
      for (let i = 0; i < 1_000; i++) expect(got.get(`flow ${i}`)).toEqual(ordered(5));
      expect(got.size).toBe(1_000);
      await world.runAsync(131_000);
      expect([...near.inner.sends.flows, ...far.inner.receives.flows]).toEqual([]);
      checkInFlight(near.inner);
      await endsClean(scene);
    }
  });
});

describe("1,500 flows that are rejected at one time", () => {
  it(...rfc("R7016-3.6.3.7-02"), "end at once, and the flow beside them goes on as before", async () => {
    for (const seed of [1, 2]) {
      const { world, near, far } = await openScene(seed, { latencyMs: 25, bitsPerSecond: 2_000_000 });
      const beside = stream(world, near, far, { count: 2_000, size: 1_000, name: "beside" });
      far.onFlow = ((others) => (flow: RecvFlow) => {
        if (flow.name === "beside") return others?.(flow);
        flow.reject(1);
        return undefined;
      })(far.onFlow);
      await world.runAsync(2_000);
      const before = beside.got.length;
      const rejected = Array.from({ length: 1_500 }, () => near.openFlow("rejected"));
      for (const flow of rejected) flow.write(numbered(0, 100));
      await world.settle(Promise.all(rejected.map((flow) => flow.closed)), 3_000);
      await world.runAsync(2_000);
      expect(beside.got.length - before).toBeGreaterThan(before);
      expect(far.stats.beyondWindow).toBe(0);
      near.abort();
      await expect(world.settle(beside.done, 1_000)).rejects.toThrow();
    }
  });
});

describe("the ID of a flow that is over", () => {
  it(
    ...rfc("R7016-3.6.2.11-02"),
    "stays out of use for 130 s, however its datagrams are lost and doubled",
    async () => {
      for (const seed of SEEDS) {
        const scene = await openScene(seed, { latencyMs: 20, loss: 0.05, duplicate: 0.2 });
        const { world, near, far } = scene;
        const ids = new Map<number, number>();
        // Flows that live for a moment, one each 3 s, for 10 min.
        for (let i = 0; i < 200; i++) {
          const { got, done } = stream(world, near, far, { count: 3, size: 500, name: `flow ${i}` });
          const id = [...near.inner.sends.flows].at(-1)?.id as number;
          const last = ids.get(id);
          if (last !== undefined) expect(world.now - last).toBeGreaterThan(130_000);
          await world.settle(done, 20_000);
          ids.set(id, world.now);
          expect(got).toEqual(ordered(3));
          await world.runAsync(3_000);
        }
        expect([...near.inner.sends.flows].length).toBeLessThanOrEqual(45);
        await endsClean(scene);
      }
    },
  );
});

describe("a window of zero", () => {
  it(
    ...rfc("R7016-3.6.2.9.1-07"),
    "that opens again is found by probes though every notice of it is lost",
    async () => {
      for (const seed of SEEDS) {
        const scene = await openScene(seed, { latencyMs: 20 });
        const { world, near, far } = scene;
        const got: number[] = [];
        let resume = (): void => {};
        far.onFlow = (flow) => {
          flow.accept({ capacityBytes: 20_000 });
          flow.onMessage = (message) => got.push(numberOf(message));
          flow.pause();
          resume = () => flow.resume();
        };
        const flow = near.openFlow("slow");
        for (let i = 0; i < 200; i++) flow.write(numbered(i, 1_000));
        await world.runAsync(10_000 + 1_000 * seed);
        expect(flow.inner.windowBytes).toBe(0);
        expect(flow.inner.outstandingBytes).toBe(0);
        // The server is not heard for 2 s from the moment it makes room.
        world.block([scene.serverHost], [scene.clientHost], 2_000);
        resume();
        const from = world.now;
        await world.settle(flow.close(), 60_000);
        expect(got).toEqual(ordered(200));
        // Probes are at most twice as far apart as what has passed.
        expect(world.now - from).toBeLessThan(25_000);
        await endsClean(scene);
      }
    },
  );
});

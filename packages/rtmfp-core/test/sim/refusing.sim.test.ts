import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { RecvFlow } from "../../src/proto/recv-flow.ts";
import { atOnce, opened, type ReceiveBench, receiveBench } from "./receive-bench.ts";
import { data, next, startup } from "./scripted.ts";

/** Sends the fragments `from` to `to` of a flow, a packet and a turn each, within 50 ms. */
function burst(b: ReceiveBench, from: number, to: number): void {
  for (let sn = from; sn <= to; sn++) {
    b.far.send(data(3, sn, 1, { data: 10 }));
    b.world.run(0.1);
  }
}

describe("a receiver that has rejected a flow", () => {
  it(
    ...rfc("R7016-5-04", "R7016-3.6.3.2-03", "R7016-3.6.3.7-02"),
    "answers what still comes 200 times and 20 times a second, drops the rest and counts it",
    () => {
      const b = receiveBench("reject");
      expect(atOnce(b, data(3, 1, 1, { options: startup() }))).toEqual(["flowException", "A 0-1"]);
      burst(b, 2, 451);
      const flow = b.flows[0] as RecvFlow;
      expect(flow.seen.contiguous).toBeGreaterThanOrEqual(201);
      expect(flow.seen.contiguous).toBeLessThan(204);
      expect(b.session.stats.beyondWindow).toBeGreaterThanOrEqual(248);
      b.world.run(1_000);
      burst(b, 2_001, 2_300);
      expect(flow.seen.contiguous).toBeGreaterThanOrEqual(2_020);
      expect(flow.seen.contiguous).toBeLessThan(2_080);
      expect(b.session.stats.beyondWindow).toBeGreaterThan(248 + 220);
      b.world.run(1_000);
      expect(atOnce(b, data(3, 2_301, 1))).toEqual(["flowException", "A 0-2301"]);
      expect(b.session.isOpen).toBe(true);
    },
  );

  it(
    ...rfc("R7016-3.6.3.7-02", "R7016-5-04"),
    "answers what completes the flow whatever the pace, and no end that it has seen as data",
    () => {
      const b = receiveBench("reject");
      expect(atOnce(b, data(3, 1, 1, { options: startup() }))).toEqual(["flowException", "A 0-1"]);
      burst(b, 2, 451);
      const flow = b.flows[0] as RecvFlow;
      const seen = flow.seen.contiguous;
      const { beyondWindow } = b.session.stats;
      b.far.send(data(3, seen, 1, { final: true }));
      b.world.run(0.1);
      b.far.send(data(3, seen + 3, 3, { final: true }));
      b.world.run(0.1);
      expect(b.session.stats.beyondWindow).toBe(beyondWindow + 2);
      const end = data(3, seen + 3, 0, { abandon: true, final: true });
      expect(atOnce(b, end)).toContain(`A 0-${seen + 3}`);
      expect(b.session.stats.beyondWindow).toBe(beyondWindow + 2);
      expect(flow.state).toBe("RF_COMPLETE_LINGER");
    },
  );

  it(...rfc("R7016-5-04"), "ends the session of a far end that goes on and on", () => {
    const b = receiveBench("reject");
    expect(atOnce(b, data(3, 1, 1, { options: startup() }))).toEqual(["flowException", "A 0-1"]);
    for (let sn = 2; sn <= 13_000; sn++) {
      b.far.send(data(3, sn, 1));
      if (sn % 20 === 0) b.world.run(1);
    }
    expect(b.node.endpoint.stats.sessionsAbused).toBe(1);
  });
});

describe("a receiver that has refused data of a flow", () => {
  it(
    ...rfc("R7016-5-04", "AMB-32", "AMB-27"),
    "passes over what else the packet has for that flow, and takes what it has for others",
    () => {
      const b = receiveBench({ order: "hold", capacityBytes: 10_000 });
      opened(b);
      opened(b, 5);
      for (let sn = 2; sn <= 76; sn++) b.far.send(data(3, sn, 1, { data: 1_000 }));
      b.world.run(300);
      expect(b.session.stats.beyondWindow).toBe(0);
      const tooMuch = { data: 1_000 };
      b.far.send(
        data(3, 77, 1, tooMuch),
        next(tooMuch),
        data(5, 2, 1, { data: "2" }),
        next({ data: "3" }),
        data(3, 79, 1, { data: "fits" }),
        next({ data: "fits" }),
        data(5, 4, 1, { data: "4" }),
      );
      b.world.run(300);
      expect(b.session.stats.beyondWindow).toBe(4);
      expect(b.flows.map(({ seen }) => [seen.contiguous, seen.rangeCount])).toEqual([
        [76, 0],
        [4, 0],
      ]);
      expect(atOnce(b, data(3, 77, 1, { data: "fits" }))).toEqual([expect.stringContaining("A 0-77")]);
    },
  );
});

import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { connect, makePair, numbered } from "./support.ts";

/** Sends `count` messages, about a datagram each, of which the last `lose` are lost; tells how long all of them take. */
async function flight(count: number, lose: number, tailLossProbe: boolean): Promise<{ ms: number; timeouts: number }> {
  const pair = makePair(11, { latencyMs: 40 }, { tailLossProbe });
  const { near, far } = await connect(pair);
  let received = 0;
  far.onFlow = (flow) => {
    flow.onMessage = () => received++;
  };
  const flow = near.openFlow("tail");
  for (let i = 0; i < 8; i++) await pair.world.settle(flow.write(numbered(i, 100)).done, 10_000);
  let sent = 0;
  pair.world.filter((view) => {
    const isData = view.from.host === "192.0.2.1" && view.bytes.length > 300;
    return isData && ++sent > count - lose && sent <= count ? "drop" : undefined;
  }, "sent");
  const start = pair.world.now;
  for (let i = 0; i < count; i++) flow.write(numbered(i, 1_000));
  await pair.world.runUntilAsync(() => received === 8 + count, 20_000);
  return { ms: pair.world.now - start, timeouts: near.stats.timeouts };
}

describe("a flight that loses its end", () => {
  it("is repaired by a probe after two round trips, without a timeout", async () => {
    const { ms, timeouts } = await flight(3, 2, true);
    expect(timeouts).toBe(0);
    expect(ms).toBeLessThan(500);
  });

  it("waits for the timeout if probes are turned off", async () => {
    const { ms, timeouts } = await flight(3, 2, false);
    expect(timeouts).toBe(1);
    expect(ms).toBeGreaterThan(330);
  });

  it("is repaired as fast if only its acknowledgements are lost, whatever else waits to be sent", async () => {
    for (const flows of [1, 5]) {
      const pair = makePair(flows, { latencyMs: 10, bitsPerSecond: 20_000_000 });
      const { near, far } = await connect(pair);
      far.onFlow = (flow) => {
        flow.onMessage = () => {};
      };
      for (let i = 0; i < flows; i++) near.openFlow("bulk").write(new Uint8Array(1_000_000));
      await pair.world.runAsync(200);
      let lastSent = pair.world.now;
      let stalled = false;
      let answered = 0;
      pair.world.filter(({ from }) => {
        const idle = pair.world.now - lastSent;
        if (from.host === "192.0.2.1") {
          stalled ||= idle > 30;
          lastSent = pair.world.now;
        } else if (!stalled) return "drop";
        else answered ||= idle;
        return undefined;
      }, "sent");
      await pair.world.runUntilAsync(() => answered > 0, 1_000);
      expect(near.stats.timeouts).toBe(0);
      expect(answered).toBeLessThan(30);
    }
  });
});

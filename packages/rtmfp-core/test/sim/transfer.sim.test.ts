import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { LinkOptions } from "../../src/testing/index.ts";
import { connect, makePair, numbered, numberOf } from "./support.ts";

/** Sends `count` reliable messages from client to server; returns what arrived, in order, and when the last one did. */
async function transfer(
  seed: number,
  link: Partial<LinkOptions>,
  count: number,
  size: number,
): Promise<{ numbers: number[]; ms: number }> {
  const pair = makePair(seed, link);
  const { near, far } = await connect(pair);
  const numbers: number[] = [];
  far.onFlow = (flow) => {
    flow.onMessage = (message) => numbers.push(numberOf(message));
  };
  const flow = near.openFlow("bulk");
  const start = pair.world.now;
  const send = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await flow.ready;
      flow.write(numbered(i, size));
    }
    await flow.close();
  };
  await pair.world.settle(send(), 3_600_000);
  return { numbers, ms: pair.world.now - start };
}

const ORDERED = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("one reliable flow", () => {
  it(...rfc("R7016-3.6.1.2-01"), "delivers large messages whole and in order on a clean path", async () => {
    const { numbers, ms } = await transfer(
      1,
      { latencyMs: 20, bitsPerSecond: 20_000_000, queueBytes: 100_000 },
      200,
      20_000,
    );
    expect(numbers).toEqual(ORDERED(200));
    expect(ms).toBeLessThan(8_000);
  });

  for (const loss of [0.01, 0.05, 0.3]) {
    it(`loses nothing at ${loss * 100} % loss both ways`, async () => {
      const { numbers } = await transfer(2, { latencyMs: 20, loss }, 100, 5_000);
      expect(numbers).toEqual(ORDERED(100));
    });
  }

  it("survives jitter, reordering and duplication", async () => {
    const { numbers } = await transfer(
      3,
      { latencyMs: 10, jitterMs: 30, reorder: 0.2, reorderMs: 25, duplicate: 0.1 },
      300,
      3_000,
    );
    expect(numbers).toEqual(ORDERED(300));
  });

  it("survives burst loss", async () => {
    const { numbers } = await transfer(4, { latencyMs: 20, burst: { enter: 0.01, leave: 0.2 } }, 200, 4_000);
    expect(numbers).toEqual(ORDERED(200));
  });
});

import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import type { Session } from "../../src/index.ts";
import type { LinkOptions } from "../../src/testing/index.ts";
import { connect, makePair, type Pair } from "./support.ts";

const CLIENT = "192.0.2.1";

interface Running {
  readonly pair: Pair;
  readonly near: Session;
  /** Sends so many bytes in messages of 16,000 on a flow of their own; gives the milliseconds until all are there. */
  send(bytes: number): Promise<number>;
  /** Virtual times at which the client sent packets with user data. */
  readonly times: number[];
}

async function running(seed: number, link: Partial<LinkOptions>, pacing: boolean): Promise<Running> {
  const pair = makePair(seed, link, { pacing, datagramBytes: 1_200 });
  const { near, far } = await connect(pair);
  far.onFlow = (flow) => {
    flow.onMessage = () => {};
  };
  const times: number[] = [];
  pair.world.filter(({ from, bytes }) => {
    if (from.host === CLIENT && bytes.length > 600) times.push(pair.world.now);
    return undefined;
  }, "sent");
  const send = async (bytes: number): Promise<number> => {
    const start = pair.world.now;
    const flow = near.openFlow("bulk");
    const write = async (): Promise<void> => {
      for (let left = bytes; left > 0; left -= 16_000) {
        await flow.ready;
        flow.write(new Uint8Array(Math.min(left, 16_000)));
      }
      await flow.close();
    };
    await pair.world.settle(write(), 600_000);
    return pair.world.now - start;
  };
  return { pair, near, send, times };
}

/** The most packets that left within a millisecond. */
function largestBurst(times: readonly number[]): number {
  return Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + 1).length));
}

/** What `work` loses and takes, without and with pacing, over some seeds. */
async function compare(
  link: Partial<LinkOptions>,
  work: (run: Running) => Promise<number>,
): Promise<Record<"paced" | "bursts", { lost: number; ms: number }>> {
  const sums = { paced: { lost: 0, ms: 0 }, bursts: { lost: 0, ms: 0 } };
  for (let seed = 1; seed <= 6; seed++) {
    for (const [pacing, sum] of [
      [true, sums.paced],
      [false, sums.bursts],
    ] as const) {
      const run = await running(seed, link, pacing);
      sum.ms += await work(run);
      sum.lost += run.near.stats.fragmentsLost;
    }
  }
  return sums;
}

describe("pacing", () => {
  it("loses less than bursts at a short queue, after idle times", async () => {
    const link = { latencyMs: 30, bitsPerSecond: 20_000_000, queueBytes: 18_000 };
    const { paced, bursts } = await compare(link, async ({ pair, send }) => {
      let ms = 0;
      for (let i = 0; i < 8; i++) {
        ms += await send(150_000);
        await pair.world.runAsync(500);
      }
      return ms;
    });
    expect(bursts.lost).toBeGreaterThan(10);
    expect(paced.lost).toBeLessThan(0.5 * bursts.lost);
    expect(paced.ms).toBeLessThan(bursts.ms);
  });

  it("lets the window be used where acknowledgements come in heaps, and bursts would not", async () => {
    const link = { latencyMs: 30, jitterMs: 15, bitsPerSecond: 20_000_000, queueBytes: 36_000 };
    const { paced, bursts } = await compare(link, ({ send }) => send(6_000_000));
    expect(paced.ms).toBeLessThan(0.8 * bursts.ms);
  });

  it("does not hold up a window that loss keeps small", async () => {
    const { paced, bursts } = await compare({ latencyMs: 100, loss: 0.05 }, ({ send }) => send(400_000));
    expect(paced.ms).toBeLessThan(1.1 * bursts.ms);
  });

  it("does not delay what is sent slower than the window allows", async () => {
    const sent: (readonly number[])[] = [];
    for (const pacing of [true, false]) {
      const { pair, near, send, times } = await running(1, { latencyMs: 40 }, pacing);
      await send(20_000);
      times.length = 0;
      const flow = near.openFlow("frames");
      for (let i = 0; i < 40; i++) {
        flow.write(new Uint8Array(3_000));
        await pair.world.runAsync(50);
      }
      const first = times[0] as number;
      sent.push(times.map((time) => time - first));
    }
    expect(sent[0]).toHaveLength(120);
    expect(sent[0]).toEqual(sent[1]);
  });

  it("spreads what a large acknowledgement lets go", async () => {
    const most: number[] = [];
    for (const pacing of [true, false]) {
      const { pair, send, times } = await running(2, { latencyMs: 30 }, pacing);
      await send(4_000_000);
      times.length = 0;
      pair.world.after(400, () => pair.world.block([pair.serverHost], [pair.clientHost], 55));
      await send(4_000_000);
      most.push(largestBurst(times));
    }
    const [paced, bursts] = most as [number, number];
    expect(bursts).toBeGreaterThan(2 * paced);
  });
});

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { connect, makePair, numbered, numberOf, type Pair } from "./support.ts";

interface Run {
  readonly pair: Pair;
  readonly got: number[];
  /** Resolves when everything is delivered. */
  readonly done: Promise<void>;
}

/** Starts to send `count` reliable messages from client to server. */
async function start(
  seed: number,
  link: Partial<LinkOptions>,
  count: number,
  size: number,
  keepaliveMs = 30_000,
): Promise<Run> {
  const pair = makePair(seed, link, { keepaliveMs, crypto: { groups: [31] } });
  const { near, far } = await connect(pair);
  const got: number[] = [];
  far.onFlow = (flow) => {
    flow.onMessage = (message) => got.push(numberOf(message));
  };
  const flow = near.openFlow("loss");
  const send = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await flow.ready;
      flow.write(numbered(i, size));
    }
    await flow.close();
  };
  return { pair, got, done: send() };
}

function ordered(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Blocks client and server from each other. */
function outage({ pair }: Run, world: SimWorld, ms: number): void {
  world.partition([pair.clientHost], [pair.serverHost], ms);
}

describe("reliable messages", () => {
  it("all arrive, in order, over 30 % loss both ways, whatever the seed", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const run = await start(seed, { latencyMs: 20, loss: 0.3 }, 60, 3_000);
      await run.pair.world.settle(run.done, 3_600_000);
      expect(run.got).toEqual(ordered(60));
    }
  });

  it("all arrive when only acknowledgements are lost", async () => {
    const run = await start(1, { latencyMs: 20 }, 200, 2_000);
    run.pair.clientHost.link.down.set({ loss: 0.5 });
    await run.pair.world.settle(run.done, 600_000);
    expect(run.got).toEqual(ordered(200));
  });

  it(...rfc("R7016-3.6.2.6-01"), "arrive when the last of them is lost", async () => {
    const run = await start(1, { latencyMs: 20 }, 3, 100);
    let packets = 0;
    run.pair.world.filter(({ sender }) => (sender === "client" && packets++ === 0 ? "drop" : undefined));
    const before = run.pair.world.now;
    await run.pair.world.settle(run.done, 60_000);
    expect(run.got).toEqual(ordered(3));
    expect(run.pair.world.now - before).toBeLessThan(3_500);
  });

  it("arrive through reordering by up to 64 packets", async () => {
    const run = await start(1, { latencyMs: 20, bitsPerSecond: 50_000_000, reorder: 0.3, reorderMs: 12 }, 500, 2_000);
    await run.pair.world.settle(run.done, 600_000);
    expect(run.got).toEqual(ordered(500));
  });

  for (const ms of [5_000, 60_000]) {
    it(`go on after an outage of ${ms / 1_000} s that the keepalive allows`, async () => {
      const run = await start(1, { latencyMs: 20, bitsPerSecond: 2_000_000 }, 300, 5_000, 60_000);
      run.pair.world.after(1_000, () => outage(run, run.pair.world, ms));
      await run.pair.world.settle(run.done, 600_000);
      expect(run.got).toEqual(ordered(300));
      expect([...run.pair.client.sessions].length).toBe(1);
    });
  }

  it("go on at once after an outage, with a window that has shrunk and grows again", async () => {
    const run = await start(1, { latencyMs: 20, bitsPerSecond: 2_000_000 }, 300, 5_000, 60_000);
    const { world } = run.pair;
    await world.runAsync(1_000);
    outage(run, world, 20_000);
    await world.runAsync(20_000);
    const before = run.got.length;
    await world.runAsync(15_000);
    expect(run.got.length).toBeGreaterThan(before);
    await world.settle(run.done, 600_000);
    expect(run.got).toEqual(ordered(300));
  });

  it("of a peer that vanished end with the session, by timeout, at both ends", async () => {
    const run = await start(1, { latencyMs: 20, bitsPerSecond: 1_000_000 }, 300, 5_000, 10_000);
    const { world, client, server } = run.pair;
    const [near] = client.sessions;
    const [far] = server.sessions;
    await world.runAsync(1_000);
    const writing = run.done.catch((error: { code: string }) => error.code);
    outage(run, world, Number.POSITIVE_INFINITY);
    expect(await world.settle(Promise.all([near?.closed, far?.closed]), 60_000)).toEqual(["timeout", "timeout"]);
    expect([client.sessions.size, server.sessions.size]).toEqual([0, 0]);
    expect(await world.settle(writing, 1_000)).toBe("FLOW_CLOSED");
  });

  it(...rfc("R7016-3.6.1.2-07"), "give way to late ones only where they were given a time", async () => {
    const pair = makePair(3, { latencyMs: 50, loss: 0.25, bitsPerSecond: 1_000_000 }, { crypto: { groups: [31] } });
    const { near, far } = await connect(pair);
    const got: number[] = [];
    let missing = 0;
    far.onFlow = (flow) => {
      flow.onMessage = (message, before) => {
        got.push(numberOf(message));
        missing += before;
      };
    };
    const flow = near.openFlow("media", { priority: "high" });
    const outcomes: Promise<string>[] = [];
    const send = async (): Promise<void> => {
      for (let i = 0; i < 400; i++) {
        const keyFrame = i % 20 === 0;
        outcomes.push(flow.write(numbered(i, 600), keyFrame ? {} : { finishWithinMs: 400 }).done);
        await pair.world.sleep(20);
      }
      await flow.close();
    };
    await pair.world.settle(send(), 600_000);
    const settled = await Promise.all(outcomes);
    const delivered = settled.flatMap((outcome, i) => (outcome === "delivered" ? [i] : []));
    expect(got).toEqual([...got].sort((x, y) => x - y));
    for (const index of delivered) expect(got).toContain(index);
    for (let i = 0; i < 400; i += 20) expect(settled[i]).toBe("delivered");
    expect(delivered.length).toBeLessThan(400);
    expect(delivered.length).toBeGreaterThan(40);
    expect(missing).toBeGreaterThan(0);
  });
});

describe("the same seed", () => {
  it("gives the same run, byte for byte, and another seed another", async () => {
    const digest = async (seed: number): Promise<string> => {
      const run = await start(
        seed,
        { latencyMs: 20, loss: 0.1, jitterMs: 15, reorder: 0.1, duplicate: 0.05 },
        40,
        4_000,
      );
      let hash = 0;
      const mix = (value: number): void => {
        hash = (Math.imul(hash ^ value, 0x01000193) + value) | 0;
      };
      run.pair.world.filter(({ bytes }) => {
        mix(Math.round(run.pair.world.now * 1_000));
        for (const byte of bytes) mix(byte);
        return undefined;
      });
      await run.pair.world.settle(run.done, 600_000);
      return `${hash} ${run.pair.world.stats.sent} ${run.pair.world.now}`;
    };
    expect(await digest(11)).toBe(await digest(11));
    expect(await digest(11)).not.toBe(await digest(12));
  });
});

describe("the end of everything", () => {
  it("leaves no session and no timer behind, after transfers, refusals, failures and closes", () => {
    const world = new SimWorld(9);
    const link = { latencyMs: 20, loss: 0.1 };
    const [near, far] = ["near", "far"].map((name) => rawNode(world.host(name, { link }), name)) as [RawNode, RawNode];
    far.onEvent = (event) => {
      if (event.type === "flow" && event.flow.metadata[0] === 0) event.flow.reject(3);
      else if (event.type === "readable") while (event.flow.read() !== undefined) {}
    };
    const session = near.endpoint.open(0, nameOf("far"), { candidates: [{ address: far.address, via: 0 }] });
    const nowhere = { host: "203.0.113.1", port: 9 };
    near.endpoint.open(0, nameOf("nobody"), { candidates: [{ address: nowhere, via: 0 }] });
    world.run(20_000);
    expect(session.isOpen).toBe(true);
    for (let i = 0; i < 20; i++) {
      const flow = session.openFlow(Uint8Array.of(i % 5));
      for (let n = 0; n < 10; n++) flow.write(new Uint8Array(2_000), { finishBy: near.driver.now() + 500 * n });
      if (i % 2 === 0) flow.close();
    }
    world.run(60_000);
    session.close(near.driver.now());
    near.driver.wake();
    world.run(300_000);
    for (const { endpoint } of [near, far]) {
      expect([...endpoint.sessions.all]).toEqual([]);
      expect([...endpoint.sessions.opening]).toEqual([]);
      expect(endpoint.timers.size).toBe(0);
      expect(endpoint.pollTimeout()).toBeUndefined();
    }
    expect(near.told("complete").length).toBe(20);
  });
});

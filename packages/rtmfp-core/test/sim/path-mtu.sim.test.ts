import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { CLIENT_IDENTITY, SERVER_IDENTITY } from "../../src/crypto/index.ts";
import type { PeerEndpoint, Session } from "../../src/index.ts";
import { decodePacket } from "../../src/proto/chunk/codec.ts";
import { ChunkType, type OpaqueChunk } from "../../src/proto/chunk/types.ts";
import type { TraceRecord } from "../../src/proto/config.ts";
import { type LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { rawNode } from "./raw.ts";
import { connect, endpointOn, makePair, numbered, numberOf, type Pair } from "./support.ts";

/** Sends `count` messages of 8000 bytes on a flow of their own, and checks that all of them arrive in order. A second passes. */
async function transfer(pair: Pair, near: Session, far: Session, count: number): Promise<void> {
  const got: number[] = [];
  far.onFlow = (flow) => {
    flow.onMessage = (message) => got.push(numberOf(message));
  };
  const flow = near.openFlow("bulk");
  const send = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await flow.ready;
      flow.write(numbered(i, 8_000));
    }
    await flow.close();
  };
  await pair.world.settle(send(), 300_000);
  await pair.world.runAsync(1_000);
  expect(got).toEqual(Array.from({ length: count }, (_, i) => i));
}

/** A pair with settings of the path from the server's network to the server, not seen by the client's kernel. */
function pairBefore(seed: number, down: Partial<LinkOptions>, options: Parameters<typeof makePair>[2] = {}): Pair {
  const pair = makePair(seed, { latencyMs: 20 }, options);
  pair.serverHost.link.down.set(down);
  return pair;
}

describe("path MTU discovery", () => {
  for (const [mtu, finds] of [
    [1_290, 1_200],
    [1_400, 1_372],
    [1_460, 1_422],
    [1_500, 1_472],
  ] as const) {
    it(...rfc("R7016-3.5.4.3-01"), `settles at ${finds} bytes on a path of ${mtu}, and fits it`, async () => {
      const pair = pairBefore(mtu, { mtu });
      const { near, far } = await connect(pair);
      const capture = pair.world.capture(({ event, sender }) => event === "sent" && sender === "client");
      await transfer(pair, near, far, 40);
      expect(near.stats.datagramBytes).toBe(finds);
      const tooLarge = capture.records.filter(({ bytes }) => bytes.length > mtu - 28);
      expect(tooLarge.length).toBe(finds === 1_472 ? 0 : 1);
      expect(pair.world.stats.dropped.mtu).toBe(tooLarge.length);
      const { mtuProbesLost } = pair.client.stats;
      expect(mtuProbesLost).toBe(tooLarge.length);
      const late = capture.records.slice(-50).map(({ bytes }) => bytes.length);
      expect(Math.max(...late)).toBeGreaterThan(finds - 16);
      expect(Math.max(...late)).toBeLessThanOrEqual(finds);
    });
  }

  it(...rfc("R7016-3.5.4.3-01"), "goes to 1452 bytes over IPv6, and to 8192 on loopback", async () => {
    for (const [seed, host, finds] of [
      [1, "2001:db8::2", 1_452],
      [2, "127.0.0.1", 8_192],
      [3, "::1", 8_192],
    ] as const) {
      const world = new SimWorld(seed);
      const clientHost = world.host("client", { addresses: ["2001:db8::1"] });
      const serverHost = finds === 8_192 ? clientHost : world.host("server", { addresses: [host] });
      const client = endpointOn(clientHost, CLIENT_IDENTITY, { host: host.includes(":") ? "::" : "0.0.0.0" });
      const server = endpointOn(serverHost, SERVER_IDENTITY, { port: 1935, host });
      const pair = { world, clientHost, serverHost, client, server };
      const { near, far } = await connectTo(pair, host);
      await transfer(pair, near, far, 40);
      expect([near.stats.datagramBytes, client.stats.mtuProbesLost]).toEqual([finds, 0]);
    }
  });

  it(
    ...rfc("R7016-3.5.4.3-02", "R7016-3.5.4.3-03"),
    "probes with Padding and a Ping behind it, no user data",
    async () => {
      const records: TraceRecord[] = [];
      const trace = (record: TraceRecord): void => {
        records.push({ ...record, packet: record.packet.slice(), datagram: record.datagram.slice() });
      };
      const pair = makePair(5, { latencyMs: 20 }, { trace });
      const { near, far } = await connect(pair);
      await transfer(pair, near, far, 40);
      const sizes: number[] = [];
      let allowed = 1_200;
      for (const { packet, datagram, direction, peer } of records) {
        if (direction !== "out" || peer.host !== "198.51.100.1" || datagram.length <= allowed) continue;
        const chunks = decodePacket(packet)?.chunks ?? [];
        expect(chunks.map((chunk) => chunk?.type)).toEqual([ChunkType.padding0, ChunkType.ping]);
        expect((chunks[0] as OpaqueChunk).payload.every((byte) => byte === 0)).toBe(true);
        sizes.push(datagram.length);
        allowed = datagram.length + 15;
      }
      const blocks = [1_280, 1_372, 1_422, 1_452, 1_472].map((size) => size - ((size - 20) % 16));
      expect(sizes).toEqual(blocks);
    },
  );

  it(...rfc("R7016-3.5.4.3-03"), "takes no answer to a probe that the path cut short", async () => {
    const world = new SimWorld(6);
    const near = rawNode(world.host("near"), "near");
    const far = rawNode(world.host("far"), "far", { port: 1935 });
    world.filter(({ bytes }) => (bytes.length > 1_200 ? bytes.subarray(0, 1_200) : undefined));
    const session = near.endpoint.open(0, new TextEncoder().encode("far"), {
      candidates: [{ address: far.address, via: 0 }],
    });
    world.run(1_000);
    const flow = session.openFlow(new Uint8Array(1));
    far.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept();
    };
    flow.write(new Uint8Array(200_000));
    world.run(5_000);
    expect(near.endpoint.stats.mtuProbes).toBe(1);
    expect(near.endpoint.stats.mtuProbesLost).toBe(1);
    expect(session.datagramBytes).toBe(1_200);
  });

  it("loses nothing by a probe without an answer, and does not try that size again for 10 minutes", async () => {
    const pair = pairBefore(7, { mtu: 1_420 });
    const { near, far } = await connect(pair);
    await transfer(pair, near, far, 60);
    const { fragmentsLost, fragmentsRetransmitted, timeouts } = near.stats;
    expect([fragmentsLost, fragmentsRetransmitted, timeouts]).toEqual([0, 0, 0]);
    expect(pair.client.stats).toMatchObject({ mtuProbes: 3, mtuProbesLost: 1 });
    await pair.world.runAsync(500_000);
    await transfer(pair, near, far, 60);
    expect(pair.client.stats.mtuProbes).toBe(3);
    pair.serverHost.link.down.set({ mtu: 1_500 });
    await pair.world.runAsync(100_000);
    await transfer(pair, near, far, 60);
    expect([pair.client.stats.mtuProbes, near.stats.datagramBytes]).toEqual([6, 1_472]);
  });

  it("takes an answer that comes after the probe counted as lost", async () => {
    const pair = pairBefore(16, {});
    const { near, far } = await connect(pair);
    const sent = (): number => pair.client.stats.mtuProbes;
    pair.world.filter(({ from }) => {
      if (from.host === "198.51.100.1" && sent() === 1 && !pair.serverHost.isFrozen) pair.serverHost.freeze(600);
      return undefined;
    });
    await transfer(pair, near, far, 40);
    await transfer(pair, near, far, 40);
    expect(pair.client.stats).toMatchObject({ mtuProbes: 5, mtuProbesLost: 1 });
    expect(near.stats.datagramBytes).toBe(1_472);
  });

  it("keeps what it learned of a host for the next session", async () => {
    const pair = pairBefore(8, { mtu: 1_420 });
    const first = await connect(pair);
    await transfer(pair, first.near, first.far, 40);
    await pair.world.settle(first.near.close(), 20_000);
    const { near, far } = await connect(pair);
    await transfer(pair, near, far, 40);
    // The kernel would carry 1422 bytes by now, in fragments.
    expect(near.stats.datagramBytes).toBe(1_372);
    expect(pair.client.stats.mtuProbesLost).toBe(1);
  });

  it("leaves sessions alone that have little to send", async () => {
    const pair = makePair(9, { latencyMs: 20 });
    const { near, far } = await connect(pair);
    far.onFlow = (flow) => {
      flow.onMessage = () => {};
    };
    const flow = near.openFlow("quiet");
    for (let i = 0; i < 100; i++) {
      flow.write(new Uint8Array(700));
      await pair.world.runAsync(100);
    }
    expect(pair.client.stats.mtuProbes).toBe(0);
  });

  it("is limited by maxDatagram, which turns it off at 1200, and by datagramBytes", async () => {
    for (const [options, finds, probes] of [
      [{ maxDatagram: 1_400 }, 1_400, 3],
      [{ maxDatagram: 1_200 }, 1_200, 0],
      [{ datagramBytes: 1_000 }, 1_000, 0],
    ] as const) {
      const pair = makePair(10, { latencyMs: 20 }, options);
      const { near, far } = await connect(pair);
      await transfer(pair, near, far, 40);
      expect([near.stats.datagramBytes, pair.client.stats.mtuProbes]).toEqual([finds, probes]);
    }
  });

  it("says what is wrong with sizes that make no sense", () => {
    const make = (options: object): unknown => makePair(11, {}, options);
    expect(() => make({ maxDatagram: 900 })).toThrow("expected maxDatagram from 1200 to 65507, got 900");
    expect(() => make({ maxDatagram: 70_000 })).toThrow("expected maxDatagram from 1200 to 65507, got 70000");
    expect(() => make({ maxDatagram: 1_400, datagramBytes: 1_400 })).toThrow("leave out either it or maxDatagram");
  });
});

describe("a path that carries less than before", () => {
  it("starts again at 1200 bytes when the far end has moved", async () => {
    const pair = makePair(12, { latencyMs: 20 });
    const { near, far } = await connect(pair);
    await transfer(pair, far, near, 40);
    expect(far.stats.datagramBytes).toBe(1_472);
    pair.clientHost.link.set({ mtu: 1_400 });
    pair.clientHost.move({ addresses: ["203.0.113.7"] });
    near.ping();
    let atMove = 0;
    far.onMoved = () => {
      atMove = far.stats.datagramBytes;
    };
    await pair.world.runAsync(1_000);
    expect(atMove).toBe(1_200);
    await transfer(pair, far, near, 40);
    expect(far.stats.datagramBytes).toBe(1_372);
  });

  it("still carries fragments that were cut for the wider one, in pieces by the kernel", async () => {
    const pair = pairBefore(13, {});
    const { near, far } = await connect(pair);
    pair.world.after(150, () => pair.serverHost.link.down.set({ mtu: 1_300, loss: 0.02 }));
    await transfer(pair, near, far, 200);
    expect(pair.world.stats.dropped.mtu).toBeGreaterThan(0);
    expect(pair.world.stats.dropped.loss).toBeGreaterThan(0);
  });

  it("is found out after two timeouts that lose large packets alone, and then probed below", async () => {
    const pair = pairBefore(14, {});
    const { near, far } = await connect(pair);
    await transfer(pair, near, far, 40);
    expect(near.stats.datagramBytes).toBe(1_472);
    pair.serverHost.link.down.set({ mtu: 1_420, reportsMtu: false });
    const got: number[] = [];
    far.onFlow = (flow) => {
      flow.onMessage = (message) => got.push(numberOf(message));
    };
    const flow = near.openFlow("live");
    for (let i = 0; i < 100; i++) {
      flow.write(numbered(i, 6_000), { finishWithinMs: 1_500 });
      await pair.world.runAsync(100);
    }
    expect(pair.client.stats.mtuBlackHoles).toBe(1);
    expect(near.stats.datagramBytes).toBe(1_372);
    expect(got.at(-1)).toBe(99);
    expect(got.length).toBeGreaterThan(60);
  });

  it("is not blamed for losses of small packets as well", async () => {
    const pair = pairBefore(15, {});
    const { near, far } = await connect(pair);
    await transfer(pair, near, far, 40);
    const { timeouts } = near.stats;
    pair.world.partition([pair.clientHost], [pair.serverHost], 6_000);
    const flow = near.openFlow("small");
    far.onFlow = (opened) => {
      opened.onMessage = () => {};
    };
    for (let i = 0; i < 200; i++) {
      flow.write(new Uint8Array(300));
      await pair.world.runAsync(50);
    }
    expect(near.stats.timeouts - timeouts).toBeGreaterThan(2);
    expect(pair.client.stats.mtuBlackHoles).toBe(0);
    expect(near.stats.datagramBytes).toBe(1_472);
  });
});

async function connectTo(
  pair: Pair & { client: PeerEndpoint },
  host: string,
): Promise<{ near: Session; far: Session }> {
  let far: Session | undefined;
  pair.server.onSession = (session) => {
    far = session;
  };
  const near = await pair.world.settle(pair.client.connect({ host, port: 1935 }), 10_000);
  if (far === undefined) throw new Error("the server has no session");
  return { near, far };
}

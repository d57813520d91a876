import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/index.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import type { CryptoProfile } from "../../src/proto/crypto-profile.ts";
import { TRANSMIT_BUFFER_BYTES } from "../../src/proto/endpoint.ts";
import { STARTUP_HEADER } from "../../src/proto/packet.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { data, encodeDatagram, fetchCookie, iiKeying, next, openScripted, Scripted, startup } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  far.mode = 1;
  return { world, node, far };
}

/** The unprotected profile, whose responses cost a lot. */
function costlyProfile(): CryptoProfile {
  const inner = createUnprotectedTestProfile(nameOf("near"));
  return {
    ...inner,
    respond: (far, skic) => {
      const step = inner.respond(far, skic);
      return step && { ...step, costly: true };
    },
  };
}

describe("a flood", () => {
  it("of handshakes in an expensive group gets a few answers a second, and then as many again", () => {
    const b = bench({ profile: costlyProfile() });
    const { stats } = b.node.endpoint;
    const cookie = fetchCookie(b.world, b.node, b.far);
    let id = 1;
    const send = (count: number): void => {
      for (let i = 0; i < count; i++)
        b.far.sendStartup(0, { ...iiKeying(b.far, cookie), initiatorSessionId: id++ } as Chunk);
      b.world.run(1);
    };
    send(100);
    expect(stats.sessionsOpened).toBe(20);
    expect(stats.costlyJobsRefused).toBe(80);
    b.world.run(1_000);
    send(100);
    expect(stats.sessionsOpened).toBe(30);
    expect(stats.costlyJobsRefused).toBe(170);
  });

  it("of one IIKeying is counted, and answered as it was a few times", () => {
    const b = bench();
    const keying = iiKeying(b.far, fetchCookie(b.world, b.node, b.far));
    for (let i = 0; i < 50; i++) b.far.sendStartup(0, keying);
    b.world.run(1);
    expect(b.node.endpoint.stats.sessionsOpened).toBe(1);
    expect(b.node.endpoint.stats.repeatedKeyings).toBe(49);
    expect(b.far.takeChunks(ChunkType.riKeying).length).toBe(1 + 8);
    b.world.run(1_500);
    b.far.sendStartup(0, keying);
    b.world.run(1);
    expect(b.far.takeChunks(ChunkType.riKeying).length).toBe(1);
  });

  it("of Pings gets so many replies a second; the rest is counted, and later ones are answered", () => {
    const b = bench();
    openScripted(b.world, b.node, b.far, "initiator");
    const { stats } = b.node.endpoint;
    const flood = (count: number): number => {
      b.far.take();
      for (let i = 0; i < count; i++) {
        b.far.send({ type: ChunkType.ping, message: new Uint8Array(8) });
        if (i % 10 === 9) b.world.run(0.001);
      }
      b.world.run(1);
      return b.far.takeChunks(ChunkType.pingReply).length;
    };
    expect(flood(1_000)).toBe(200);
    expect(stats.pingsRefused).toBe(800);
    b.world.run(1_000);
    expect(flood(1_000)).toBe(100);
    expect(stats.pingsRefused).toBe(1_700);
    expect(stats.controlDropped).toBe(0);
  });

  it("of control chunks that cannot leave is counted", () => {
    const b = bench();
    const session = openScripted(b.world, b.node, b.far, "initiator");
    for (let i = 0; i < 100; i++) session.ping(new Uint8Array(8));
    expect(b.node.endpoint.stats.controlDropped).toBe(36);
    b.node.driver.wake();
    b.world.run(1);
    expect(b.far.takeChunks(ChunkType.ping).length).toBe(64);
  });

  it(...rfc("R7016-3.4-13"), "of startup packets in pieces begins no more of them than a handshake flood could", () => {
    const b = bench();
    const { stats } = b.node.endpoint;
    for (let packetId = 0; packetId < 5_000; packetId++) {
      b.far.sendStartup(0, { type: ChunkType.fragment, more: true, packetId, index: 0, data: new Uint8Array(10) });
    }
    b.world.run(1);
    expect(stats.reassembliesDropped).toBe(2_500 - 64);
    expect(stats.rateLimited).toBe(2_500);
  });
});

describe("a cap", () => {
  it("of 256 undecided introductions of one address refuses more, and gives room after five seconds", () => {
    const b = bench();
    const { endpoint } = b.node;
    const ask = (count: number): void => {
      for (let i = 0; i < count; i++)
        b.far.sendStartup(0, { type: ChunkType.iHello, epd: nameOf(`${i}`), tag: nameOf("tag-0123") });
      b.world.run(1);
    };
    ask(300);
    expect(endpoint.load.introductions).toBe(256);
    expect(endpoint.stats.introductionsRefused).toBe(44);
    b.world.run(5_001);
    ask(1);
    expect(endpoint.load.introductions).toBe(1);
    expect(endpoint.stats.introductionsRefused).toBe(44);
  });

  it("of 4096 startup packets that wait to be sent drops further ones, counted, and gives room as they leave", () => {
    const b = bench();
    const { endpoint } = b.node;
    const { stats } = endpoint;
    const hello: Chunk = { type: ChunkType.iHello, epd: endpoint.profile.certificate, tag: nameOf("tag-0123") };
    const bytes = encodeDatagram(0, STARTUP_HEADER, [hello]);
    const ask = (count: number): void => {
      const from = (i: number) => ({ host: `198.18.${i >> 8}.${i & 255}`, port: 1935 });
      endpoint.handleDatagrams(
        b.node.driver.now(),
        Array.from({ length: count }, (_, i) => ({ bytes, from: from(i), via: 0 })),
      );
    };
    const drain = (): number => {
      const buffer = new Uint8Array(TRANSMIT_BUFFER_BYTES);
      let count = 0;
      while (endpoint.pollTransmit(b.node.driver.now(), buffer) !== undefined) count++;
      return count;
    };
    ask(4_100);
    expect(stats).toMatchObject({ ihellos: 4_100, rateLimited: 0, startupQueueFull: 4 });
    expect(drain()).toBe(4_096);
    ask(10);
    expect(drain()).toBe(10);
    expect(stats.startupQueueFull).toBe(4);
  });

  it("of 1 MiB on what a flow has not sent refuses the write that goes beyond", () => {
    const b = bench();
    const flow = openScripted(b.world, b.node, b.far, "initiator").openFlow(nameOf("f"));
    for (let i = 0; i < 16; i++) flow.write(new Uint8Array(65_536));
    expect(() => flow.write(new Uint8Array(65_536))).toThrowError(
      expect.objectContaining({ code: "FLOW_BUFFER_FULL" }),
    );
  });

  it(...rfc("AMB-32"), "of 1024 runs of sequence numbers drops what lies above them, even of abandoned data", () => {
    const b = bench();
    const session = openScripted(b.world, b.node, b.far, "initiator");
    const { stats } = session.receives;
    const fragment = (sn: number): Chunk => data(1, sn, sn, { abandon: true, options: startup("f") });
    for (let i = 1; i <= 4_000; i++) {
      b.far.send(fragment(1 + 2 * i));
      if (i % 50 === 0) b.world.run(0.001);
    }
    b.world.run(1);
    expect(stats.beyondWindow).toBe(4_000 - 1_024);
  });

  it(...rfc("AMB-32"), "of 1024 beginnings of messages that given-up numbers divide drops those above them", () => {
    const b = bench();
    const session = openScripted(b.world, b.node, b.far, "initiator");
    const { stats } = session.receives;
    for (let i = 1; i <= 4_000; i++) {
      b.far.send(data(1, 1 + 2 * i, 2 * i, { data: 1, control: 1, options: startup("f") }), next({ abandon: true }));
      if (i % 50 === 0) b.world.run(0.001);
    }
    b.world.run(1);
    const flow = [...session.receives.flows][0];
    expect(stats.beyondWindow).toBeGreaterThanOrEqual(4_000 - 1_024);
    expect(flow?.seen.rangeCount).toBe(1);
    expect(flow?.bufferedBytes).toBe(1_024);
    b.far.send(data(1, 9_000, 1, { data: 2, options: startup("f") }));
    b.world.run(1);
    expect(flow?.bufferedBytes).toBe(2);
    expect(flow?.seen.contiguous).toBe(9_000);
  });
});

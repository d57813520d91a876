// What random walks and fuzzing found, each in its smallest form.
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ChunkType, FragmentControl } from "../../src/proto/chunk/types.ts";
import { STARTUP_HEADER } from "../../src/proto/packet.ts";
import { MAX_LINGERING_FLOWS, MAX_PACKET_FRAGMENTS, MAX_SEQUENCE_RANGES } from "../../src/proto/params.ts";
import { EndpointBudget } from "../../src/proto/receive-budget.ts";
import { ReceiveSide, type ReceiveSideHost } from "../../src/proto/receive-side.ts";
import { RecvFlow } from "../../src/proto/recv-flow.ts";
import type { Session } from "../../src/proto/session.ts";
import { PacketReassembly } from "../../src/proto/startup/packet-fragments.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { ack, data, encodeDatagram, next, openScripted, Scripted, startup } from "./scripted.ts";
import { sendBench } from "./send-bench.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

/** A node under test and a scripted far end, without latency. */
function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0, mtu: 9_000 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  return { world, node, far, session: openScripted(world, node, far, "initiator") };
}

/** The flow that the far end's chunks open. */
function receive({ world, node, far }: Bench, ...chunks: Parameters<Scripted["send"]>): RecvFlow {
  far.send(...chunks);
  world.run(1);
  return node.told("flow").at(-1)?.flow as RecvFlow;
}

describe("a session that ends with data in flight", () => {
  it(...rfc("R7016-3.5.5-04"), "leaves no bytes outstanding in its flows, and none of them lingering", () => {
    const { world, node, session } = bench();
    const flow = session.openFlow(new Uint8Array(0));
    flow.write(new Uint8Array(3_000));
    world.run(10);
    expect(flow.outstandingBytes).toBeGreaterThan(3_000);
    session.close(node.driver.now());
    expect(flow.outstandingBytes).toBe(0);
    expect(session.sends.outstandingBytes).toBe(0);
    expect([...session.sends.inFlight]).toEqual([]);
    expect(flow.state).toBe("F_CLOSED");
  });
});

describe("a flow rejected after it is complete", () => {
  it("drops what it holds and is finished", () => {
    const b = bench();
    const flow = receive(b, data(3, 1, 1, { data: "all", final: true, options: startup() }));
    expect(flow.state).toBe("RF_COMPLETE_LINGER");
    flow.reject(5);
    b.world.run(1);
    expect(flow.bufferedBytes).toBe(0);
    expect(b.node.told("finished")).toHaveLength(1);
  });
});

describe("a flow that the endpoint rejects and that ends in the same packet", () => {
  it(...rfc("R7016-3.6.3.4.3-02"), "is reported as rejected, so that its sender does not think it delivered", () => {
    const b = bench();
    b.far.take();
    receive(b, data(3, 1, 1, { data: "all", final: true, options: startup("m", 99) }));
    expect(b.far.take().flatMap(({ chunks }) => chunks.map(({ type }) => type))).toEqual([
      ChunkType.flowException,
      ChunkType.ackRanges,
    ]);
  });
});

describe("a flow that turns to network order", () => {
  it(...rfc("R7016-3.6.3.3-03"), "lets go of fragments whose message was given up while it was held", () => {
    const b = bench();
    const flow = receive(b, data(3, 1, 1, { data: "part", control: FragmentControl.begin, options: startup() }));
    flow.accept({ order: "hold" });
    receive(b, data(3, 2, 0, { abandon: true }), next({ data: "rest", final: true }));
    flow.accept({ order: "network" });
    expect(flow.read()?.data.length).toBe(4);
    expect(flow.read()).toBeUndefined();
    expect(flow.bufferedBytes).toBe(0);
    expect(flow.finished).toBe(true);
  });
});

describe("startup options that leave no room for data in a small packet", () => {
  it("do not keep the flow, nor those behind it, from being sent", () => {
    const b = bench({ datagramBytes: 400 });
    const large = b.session.openFlow(new Uint8Array(500), { priority: "high" });
    const small = b.session.openFlow(new Uint8Array(1));
    large.write(new Uint8Array(100));
    small.write(Uint8Array.of(42));
    b.world.run(1);
    const sent = b.far.takeChunks(ChunkType.userData);
    expect(new Set(sent.map(({ flowId }) => flowId))).toEqual(new Set([large.id, small.id]));
  });
});

describe("sequence numbers at the end of what VLUs hold here", () => {
  it(
    ...rfc("R7016-2.3.11-11"),
    "end there: Next User Data does not go beyond, and the acknowledgement is built",
    () => {
      const b = bench();
      b.far.take();
      const last = Number.MAX_SAFE_INTEGER;
      receive(
        b,
        data(3, 1, 1, { data: "1", options: startup() }),
        data(3, last, last - 1, { data: "2" }),
        next(),
        next(),
      );
      expect(b.session.receives.stats.malformed).toBe(2);
      expect(b.far.heard()).toEqual([`A 0-1,${last}`]);
    },
  );
});

describe("what hostile packets cost", () => {
  it("a hello whose echo would not fit a packet gets no answer and is counted", () => {
    const { world, node, far } = bench();
    far.take();
    const hello = (tag: number): void => {
      far.sendStartup(0, { type: ChunkType.iHello, epd: node.endpoint.profile.certificate, tag: new Uint8Array(tag) });
      world.run(1);
    };
    hello(512);
    expect(far.takeChunks(ChunkType.rHello)).toHaveLength(1);
    hello(513);
    hello(8_000);
    expect(far.take()).toEqual([]);
    expect(node.endpoint.stats.malformed).toBe(2);
  });

  it(...rfc("R7016-5-04"), "a discriminator that nobody would send does not wait for an introduction", () => {
    const { world, node, far } = bench();
    for (const size of [1_024, 1_025]) {
      far.sendStartup(0, { type: ChunkType.iHello, epd: new Uint8Array(size), tag: nameOf("tag-0123") });
      world.run(1);
    }
    expect(node.told("introduction")).toHaveLength(1);
    expect(node.endpoint.stats.introductionsRefused).toBe(1);
  });

  it("a hello as large as a datagram can be does not throw", () => {
    const { node } = bench();
    const { certificate } = node.endpoint.profile;
    const hello = { type: ChunkType.iHello, epd: certificate, tag: new Uint8Array(65_500) } as const;
    const bytes = encodeDatagram(0, STARTUP_HEADER, [hello]);
    node.endpoint.handleDatagrams(0, [{ bytes, from: { host: "192.0.2.9", port: 9 }, via: 0 }]);
    expect(node.endpoint.stats.malformed).toBe(1);
  });

  it("a cookie too large to be echoed beside the rest does not throw", () => {
    const { world, node, far } = bench();
    const name = nameOf("elsewhere");
    node.endpoint.open(node.driver.now(), name, { candidates: [{ address: far.address, via: 0 }] });
    world.run(1);
    const hello = far.takeChunks(ChunkType.iHello)[0];
    const reply = {
      type: ChunkType.rHello,
      tagEcho: hello?.tag ?? name,
      cookie: new Uint8Array(65_505),
      certificate: name,
    };
    const bytes = encodeDatagram(0, STARTUP_HEADER, [reply]);
    node.endpoint.handleDatagrams(node.driver.now(), [{ bytes, from: far.address, via: 0 }]);
    expect(node.endpoint.stats.malformed).toBe(1);
  });

  it(...rfc("R7016-3.4-13"), "a fragmented packet has a bounded number of fragments, however small they are", () => {
    const reassembly = new PacketReassembly();
    const fragment = (index: number): Uint8Array | undefined =>
      reassembly.add("a", { type: ChunkType.fragment, more: true, packetId: 1, index, data: Uint8Array.of(1) }, 0);
    for (let index = 0; index < MAX_PACKET_FRAGMENTS; index++) fragment(index);
    expect(reassembly.size).toBe(1);
    fragment(MAX_PACKET_FRAGMENTS);
    expect(reassembly.size).toBe(0);
    expect(reassembly.dropped).toBe(1);
  });

  it(...rfc("R7016-5-04"), "numbers with gaps between them are remembered up to a cap, even of a rejected flow", () => {
    const host = new ReceiveSide({ receiveBudget: new EndpointBudget() } as ReceiveSideHost);
    host.ackDue = () => {};
    const flow = new RecvFlow(host, 3, new Uint8Array(0), undefined);
    flow.reject();
    const nothing = new Uint8Array(0);
    const put = (sn: number): boolean => flow.onData(sn, 0, FragmentControl.whole, true, false, nothing);
    for (let i = 1; i <= MAX_SEQUENCE_RANGES; i++) expect(put(2 * i)).toBe(true);
    expect(put(2 * MAX_SEQUENCE_RANGES + 2)).toBe(false);
    expect(flow.seen.rangeCount).toBe(MAX_SEQUENCE_RANGES);
    expect(put(1)).toBe(true);
    expect(put(2 * MAX_SEQUENCE_RANGES + 2)).toBe(true);
  });

  it(...rfc("R7016-5-04"), "flows that are opened and ended at once are remembered up to a cap, and for 120 s", () => {
    const b = bench();
    const flood = (from: number): void => {
      const chunks = Array.from({ length: 256 }, (_, i) => data(from + i, 1, 1, { final: true, options: startup() }));
      b.far.send(...chunks);
      b.world.run(1);
    };
    for (let i = 0; i < MAX_LINGERING_FLOWS + 1_024; i += 256) flood(i + 1);
    expect([...b.session.receives.flows]).toHaveLength(MAX_LINGERING_FLOWS);
    expect(b.session.receives.stats.flowsRefused).toBe(1_024);
    b.world.run(121_000);
    flood(100_000);
    expect([...b.session.receives.flows]).toHaveLength(256);
  });

  it("a few bytes do not keep the large packet around them in memory", () => {
    const b = bench();
    const flow = receive(b, data(3, 1, 1, { data: "few", options: startup() }), {
      type: 0,
      payload: new Uint8Array(4_000),
    });
    expect(flow.read()?.data.buffer.byteLength).toBe(3);
  });
});

describe("calls on a session that is no longer open", () => {
  it(...rfc("R7016-3.5.5-04"), "send nothing", () => {
    const { world, node, far, session } = bench();
    far.send({ type: ChunkType.closeAck });
    world.run(1);
    far.take();
    session.ping();
    session.sendForwardedHello(nameOf("x"), far.address, nameOf("tag-0123"));
    world.run(1);
    expect(far.take()).toEqual([]);
    expect(node.told("closed")).toHaveLength(1);
  });
});

describe("a sending flow that is complete", () => {
  it(...rfc("R7016-3.6.2.9.1-07"), "does not probe when a late acknowledgement tells of no window", () => {
    const b = bench();
    const flow = b.session.openFlow(new Uint8Array(0));
    flow.write(Uint8Array.of(1));
    flow.close();
    b.world.run(1);
    b.far.send(ack(flow.id, 1, 1));
    b.world.run(1);
    expect(flow.state).toBe("F_COMPLETE_LINGER");
    b.far.send(ack(flow.id, 0, 1));
    b.far.take();
    b.world.run(200_000);
    expect(b.far.takeChunks(ChunkType.bufferProbe)).toEqual([]);
    expect(flow.heapIndex).toBe(-1);
  });
});

describe("a fragment that was given up", () => {
  it(
    ...rfc("R7016-3.6.2.7.1-01", "R7016-3.6.2.3-04"),
    "is told of although an old acknowledgement took what was to carry the news",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      const [one, two] = [flow.write(new Uint8Array(10)), flow.write(new Uint8Array(10))];
      flow.close();
      expect(b.flush()).toEqual([["D 1 o1 f0 OPT", "N FIN"]]);
      b.manual.window = 0;
      b.world.run(11_000);
      one.abandon();
      two.abandon();
      b.manual.window = 1e9;
      expect(b.flush()).toEqual([["D 2 o0 f2 ABN FIN OPT"]]);
      b.hear(ack(flow.id, 127, 0, [2, 2]));
      expect(b.flush()).toEqual([["D 2 o0 f2 ABN FIN"]]);
      expect(flow.state).toBe("F_CLOSING");
      b.hear(ack(flow.id, 127, 2));
      expect(flow.state).toBe("F_COMPLETE_LINGER");
    },
  );
});

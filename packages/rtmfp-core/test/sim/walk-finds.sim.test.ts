// What random walks and fuzzing found, each in its smallest form.
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ChunkType, FragmentControl } from "../../src/proto/chunk/types.ts";
import type { RecvFlow } from "../../src/proto/recv-flow.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { data, next, openScripted, Scripted, startup } from "./scripted.ts";

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

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import type { EndpointEvent } from "../../src/proto/events.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { encodeDatagram, openScripted, Scripted, startup } from "./scripted.ts";

/** Numbers as a far end without scruples chooses them. */
const NUMBERS: readonly number[] = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  63,
  127,
  128,
  1_000,
  65_536,
  2 ** 32,
  2 ** 53 - 2,
  2 ** 53 - 1,
];

/** A source of chunks that are well formed, and make no sense. */
function nonsense(world: SimWorld): { chunk: () => Chunk; below: (limit: number) => number } {
  const below = (limit: number): number => {
    const [high, low] = world.random(2) as unknown as [number, number];
    return (high * 256 + low) % limit;
  };
  const number = (): number => NUMBERS[below(NUMBERS.length)] as number;
  const small = (): number => (below(4) === 0 ? number() : below(12));
  const bytes = (): Uint8Array => world.random(below(60));
  const makers: (() => Chunk)[] = [
    () => ({
      type: below(3) === 0 ? ChunkType.nextUserData : ChunkType.userData,
      flags: below(256) & 0x7f,
      flowId: below(6),
      sequenceNumber: small(),
      fsnOffset: small(),
      options: undefined,
      data: bytes(),
    }),
    () => ({
      type: ChunkType.userData,
      flags: (below(256) & 0x7f) | 0x80,
      flowId: small(),
      sequenceNumber: small(),
      fsnOffset: small(),
      options: below(2) === 0 ? startup("m") : startup("m", below(9)),
      data: bytes(),
    }),
    () => ({
      type: ChunkType.ackRanges,
      flowId: below(9),
      bufferBlocks: small(),
      cumulativeAck: small(),
      body: bytes(),
    }),
    () => ({
      type: ChunkType.ackBitmap,
      flowId: below(9),
      bufferBlocks: small(),
      cumulativeAck: small(),
      body: bytes(),
    }),
    () => ({ type: ChunkType.bufferProbe, flowId: small() }),
    () => ({ type: ChunkType.flowException, flowId: below(40) + 3, code: number() }),
    () => ({ type: ChunkType.ping, message: bytes() }),
    () => ({ type: ChunkType.pingReply, message: bytes() }),
    () => ({ type: ChunkType.fragment, more: below(2) === 0, packetId: small(), index: small(), data: bytes() }),
    () => ({ type: 0x80 + below(0x70), payload: bytes() }),
    () => ({
      type: ChunkType.forwardedIHello,
      epd: bytes(),
      replyAddress: { host: "192.0.2.1", port: below(3), origin: 0 },
      tag: bytes(),
    }),
  ];
  const chunk = (): Chunk => (makers[below(makers.length)] as () => Chunk)();
  return { chunk, below };
}

/** Reads, rejects, holds and answers what comes, as chance has it. */
function whimsical(node: RawNode, below: (limit: number) => number): (event: EndpointEvent) => void {
  return (event) => {
    if (event.type === "flow") {
      const whim = below(5);
      if (whim === 0) event.flow.reject(7);
      else if (whim === 1) event.flow.accept({ order: "network" });
      else if (whim === 2) event.flow.accept({ order: "hold", capacityBytes: 2_000 });
      else if (whim === 3 && event.flow.state === "RF_OPEN")
        node.open()[0]?.openFlow(new Uint8Array(1), { answers: event.flow }).write(new Uint8Array(50));
    } else if (event.type === "readable") while (event.flow.read() !== undefined) {}
  };
}

describe("a far end that sends nonsense", () => {
  it(...rfc("R7016-5-04", "AMB-03"), "in a session harms nobody but itself", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const world = new SimWorld(seed);
      const link = { latencyMs: 0, mtu: 9_000 };
      const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
      const far = new Scripted(world.host("far", { link }), "far", node.address);
      const session = openScripted(world, node, far, "initiator");
      const { chunk, below } = nonsense(world);
      node.onEvent = whimsical(node, below);
      const flows = [1, 2, 3].map((n) => session.openFlow(Uint8Array.of(n)));
      for (let i = 0; i < 400; i++) {
        if (session.isOpen)
          for (const flow of flows)
            if (flow.state === "F_OPEN" && below(20) === 0) flow.write(new Uint8Array(below(4_000)));
        far.send(...Array.from({ length: 1 + below(6) }, chunk));
        world.run(below(3) === 0 ? 300 : 0.1);
        const { outstandingBytes } = session.sends;
        expect(outstandingBytes).toBe([...session.sends.flows].reduce((sum, flow) => sum + flow.outstandingBytes, 0));
        expect(outstandingBytes).toBeGreaterThanOrEqual(0);
      }
      expect(session.isOpen).toBe(true);
      session.close(node.driver.now());
      node.driver.wake();
      world.run(100_000);
      expect(node.endpoint.sessions.size).toBe(0);
      expect(node.endpoint.timers.size).toBe(0);
    }
  });

  it(...rfc("R7016-5-04"), "at the door costs no state and no other session", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new SimWorld(seed);
      const link = { latencyMs: 0, mtu: 9_000 };
      const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
      const far = new Scripted(world.host("far", { link }), "far", node.address);
      const vandal = world.host("vandal", { link });
      const session = openScripted(world, node, far, "initiator");
      const { chunk, below } = nonsense(world);
      const opening = node.endpoint.open(node.driver.now(), nameOf("x"), { candidates: [] });
      const address = { host: vandal.addresses[0] as string, port: 7 };
      for (let i = 0; i < 1_000; i++) {
        const id = [0, 0, opening.nearId, session.nearId, below(65_536)][below(5)] as number;
        const header = {
          mode: below(4),
          timeCritical: false,
          timeCriticalReverse: false,
          timestamp: undefined,
          timestampEcho: undefined,
          reserved: 0,
        };
        const legal = encodeDatagram(id, header, id === session.nearId ? [] : [chunk(), chunk()]);
        const bytes = below(2) === 0 ? legal : legal.map((byte) => (below(30) === 0 ? byte ^ (1 << below(8)) : byte));
        vandal.inject(address, node.address, bytes);
        if (i % 20 === 0) world.run(1);
      }
      world.run(10);
      expect(session.isOpen).toBe(true);
      expect(opening.state).toBe("S_IHELLO_SENT");
      expect(node.endpoint.sessions.size).toBe(2);
    }
  });
});

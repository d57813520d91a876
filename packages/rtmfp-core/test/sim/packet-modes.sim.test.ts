import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { Origin } from "../../src/proto/address.ts";
import { decodePacket } from "../../src/proto/chunk/codec.ts";
import { type Chunk, ChunkType, type UserDataChunk, UserDataFlag } from "../../src/proto/chunk/types.ts";
import { STARTUP_HEADER, unscrambleSessionId } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { bulky, nameOf, type RawNode, rawNode } from "./raw.ts";
import { ack, data, iiKeying, openScripted, riKeying, Scripted, say, startup } from "./scripted.ts";

type Role = "initiator" | "responder";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

/** An open session of a node that had the other role than `farRole`. */
function bench(farRole: Role): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, tailLossProbe: false });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far, farRole);
  session.introductions = "rhello";
  far.take();
  return { world, node, far, session };
}

/** What a packet brings back, delayed acknowledgements included. */
function answerTo(b: Bench, sessionId: number, mode: number, ...chunks: Chunk[]): string[] {
  b.far.take();
  b.far.sendRaw(sessionId, { ...STARTUP_HEADER, mode }, chunks);
  b.world.run(300);
  return b.far.heard();
}

/** Everything of the node that a packet could change. */
function state({ node, session }: Bench): unknown {
  return {
    state: session.state,
    sessions: node.endpoint.sessions.size,
    load: node.endpoint.load,
    events: node.events.length,
    flows: [...session.receives.flows].length,
    received: { ...session.receives.stats },
    sent: { ...session.sends.stats, outstanding: session.sends.outstandingBytes },
  };
}

/** Chunks of an established session, each of which would do something there. */
function sessionChunks(session: Session): Chunk[] {
  const flow = session.openFlow(nameOf("m"));
  flow.write(new Uint8Array(10));
  return [
    { type: ChunkType.ping, message: nameOf("x") },
    { type: ChunkType.pingReply, message: nameOf("x") },
    data(3, 1, 1, { data: "a", options: startup() }),
    ack(flow.id, 10, 1),
    { type: ChunkType.ackBitmap, flowId: flow.id, bufferBlocks: 0, cumulativeAck: 1, body: new Uint8Array(0) },
    { type: ChunkType.flowException, flowId: flow.id, code: 0 },
    {
      type: ChunkType.forwardedIHello,
      epd: nameOf("near"),
      replyAddress: { host: "198.18.0.77", port: 1_000, origin: Origin.observed },
      tag: nameOf("tag-0123"),
    },
    { type: ChunkType.closeRequest },
    { type: ChunkType.closeAck },
  ];
}

/** Chunks of startup. */
function startupChunks(far: Scripted): Chunk[] {
  const cookie = new Uint8Array(64);
  return [
    { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") },
    { type: ChunkType.rHello, tagEcho: nameOf("t"), cookie, certificate: nameOf("far") },
    { type: ChunkType.redirect, tagEcho: nameOf("t"), destinations: [] },
    { type: ChunkType.cookieChange, oldCookie: cookie, newCookie: cookie },
    iiKeying(far, cookie),
    riKeying(far),
  ];
}

describe("the mode of a packet", () => {
  for (const [farRole, good, own] of [
    ["initiator", 1, 2],
    ["responder", 2, 1],
  ] as const) {
    it(
      ...rfc(
        "R7016-2.2.4-13",
        "R7016-2.2.4-15",
        "R7016-2.2.4-17",
        "R7016-2.2.4-18",
        "R7016-2.3-05",
        "R7016-2.3.3-02",
        "R7016-2.3.13-07",
      ),
      `is the far end's mark for chunks of a session: no other does anything, from an ${farRole}`,
      () => {
        const b = bench(farRole);
        const chunks = sessionChunks(b.session);
        b.node.driver.wake();
        b.world.run(1);
        const before = state(b);
        b.far.take();
        for (const chunk of chunks) {
          for (const mode of [0, own, 3]) b.far.sendRaw(b.far.farId, { ...STARTUP_HEADER, mode }, [chunk]);
          for (const mode of [0, 1, 2, 3]) b.far.sendRaw(0, { ...STARTUP_HEADER, mode }, [chunk]);
        }
        b.world.run(20);
        expect(b.far.heard()).toEqual([]);
        expect(state(b)).toEqual(before);
        expect(b.node.endpoint.stats.badMode).toBe(chunks.length * 6);
        expect(answerTo(b, b.far.farId, good, chunks[0] as Chunk)).toContain("pingReply");
        expect(answerTo(b, b.far.farId, good, chunks[2] as Chunk)).toContain("A 0-1");
        b.far.sendRaw(b.far.farId, { ...STARTUP_HEADER, mode: good }, [chunks[3] as Chunk]);
        b.world.run(1);
        expect(b.session.sends.outstandingBytes).toBe(0);
        expect(answerTo(b, b.far.farId, good, chunks[7] as Chunk)).toContain("closeAck");
      },
    );

    it(
      ...rfc("R7016-2.2.4-18", "R7016-2.3-05", "R7016-2.3.2-02", "R7016-2.3.7-04"),
      `is 3 for chunks of startup: in no other mode do they do anything, from an ${farRole}`,
      () => {
        const b = bench(farRole);
        const before = state(b);
        for (const chunk of startupChunks(b.far)) {
          for (const mode of [0, 1, 2, 3]) b.far.sendRaw(b.far.farId, { ...STARTUP_HEADER, mode }, [chunk]);
          for (const mode of [0, 1, 2]) b.far.sendRaw(0, { ...STARTUP_HEADER, mode }, [chunk]);
        }
        b.world.run(300);
        expect(b.far.heard()).toEqual([]);
        expect(state(b)).toEqual(before);
        expect(answerTo(b, 0, 3, startupChunks(b.far)[0] as Chunk)).toEqual(["rHello"]);
      },
    );
  }

  it(
    ...rfc("R7016-2.2.4-15", "R7016-2.2.4-17"),
    "keeps either end from taking what it sent for the far end's, when all of it is reflected",
    () => {
      for (const farRole of ["initiator", "responder"] as const) {
        const b = bench(farRole);
        b.session.ping(nameOf("x"));
        b.session.openFlow(nameOf("m")).write(new Uint8Array(3_000));
        b.node.driver.wake();
        b.world.run(1);
        const sent = b.far.take();
        expect(sent.length).toBeGreaterThanOrEqual(3);
        const before = state(b);
        for (const { header, chunks } of sent) b.far.sendRaw(b.far.farId, header, chunks);
        b.world.run(100);
        expect(b.far.heard()).toEqual([]);
        expect(state(b)).toEqual(before);
      }
    },
  );
});

describe("what every packet sent has in common", () => {
  it(
    ...rfc("R7016-2-03", "R7016-2.2.4-12", "R7016-2.2.4-04"),
    "at least one chunk, a mode that is not 0, and no reserved bit set",
    () => {
      const world = new SimWorld(3);
      const link = { loss: 0.05 };
      // Long certificates make fragments.
      const [i, d, r] = ["i", "d", "r"].map((name) =>
        rawNode(world.host(name, { link }), name, { keepaliveMs: 1_000, profile: bulky(name, 1_500) }),
      ) as [RawNode, RawNode, RawNode];
      const seen = new Set<string>();
      let packets = 0;
      world.filter(({ bytes }) => {
        const packet = decodePacket(bytes.subarray(4));
        packets++;
        expect(packet?.header.reserved).toBe(0);
        expect([1, 2, 3]).toContain(packet?.header.mode);
        expect(packet?.chunks.length).toBeGreaterThan(0);
        for (const chunk of packet?.chunks ?? []) {
          // Reserved bits of fragments, addresses and the rest would leave a chunk with bytes of its own.
          expect(chunk).toBeDefined();
          expect(chunk?.verbatim).toBeUndefined();
          const isData = chunk?.type === ChunkType.userData || chunk?.type === ChunkType.nextUserData;
          if (isData) expect((chunk as UserDataChunk).flags & UserDataFlag.reserved).toBe(0);
          seen.add(say(chunk as Chunk).replace(/ .*/, ""));
        }
        return undefined;
      });
      const open = (node: RawNode, to: RawNode, by: RawNode): Session =>
        node.endpoint.open(node.driver.now(), nameOf(to.host.name), {
          candidates: [{ address: by.address, via: 0 }],
        });
      open(r, d, d).introductions = "rhello";
      world.run(20_000);
      d.onEvent = (event) => {
        if (event.type !== "introduction") return;
        const address = d.open()[0]?.address;
        if (address === undefined) throw new Error("nobody to introduce");
        d.endpoint.redirect(d.driver.now(), event.id, [{ ...address, origin: Origin.observed }]);
        d.endpoint.forward(d.driver.now(), event.id, d.open()[0] as Session);
      };
      const session = open(i, r, d);
      r.onEvent = (event) => {
        if (event.type === "flow" && textIs(event.flow.metadata, "no")) event.flow.reject(9);
        if (event.type === "readable") while (event.flow.read() !== undefined) {}
      };
      world.run(30_000);
      const flows = ["one", "two", "no"].map((name) => session.openFlow(nameOf(name)));
      for (const flow of flows) for (let n = 0; n < 40; n++) flow.write(new Uint8Array(n * 30));
      flows[0]?.write(new Uint8Array(10)).abandon();
      i.driver.wake();
      world.run(30_000);
      for (const flow of flows) flow.close();
      i.driver.wake();
      world.run(10_000);
      session.close(i.driver.now());
      i.driver.wake();
      world.run(30_000);
      expect(packets).toBeGreaterThan(100);
      for (const type of ["fragment", "redirect", "forwardedIHello", "D", "N", "A", "ping", "pingReply"])
        expect([...seen]).toContain(type);
      for (const type of ["flowException", "closeRequest", "closeAck"]) expect([...seen]).toContain(type);
    },
  );

  it(...rfc("R7016-2.2.4-05", "R7016-2.2.4-06"), "a clock of 250 Hz, whatever its origin", () => {
    const times = [0, 123_456_789, 65_536 * 4 - 200, 1_700_000_000_000].map((clockOffsetMs) => {
      const world = new SimWorld(1);
      const near = rawNode(world.host("near", { clockOffsetMs }), "near", { keepaliveMs: 0 });
      const far = rawNode(world.host("far"), "far", { keepaliveMs: 0 });
      const stamps: number[] = [];
      world.filter(({ sender, bytes }) => {
        const { timestamp } = decodePacket(bytes.subarray(4))?.header ?? {};
        if (sender === "near" && timestamp !== undefined && unscrambleSessionId(bytes) !== 0) stamps.push(timestamp);
        return undefined;
      });
      const session = near.endpoint.open(near.driver.now(), nameOf("far"), {
        candidates: [{ address: far.address, via: 0 }],
      });
      near.driver.wake();
      world.run(100);
      for (let n = 0; n < 4; n++) {
        session.ping(nameOf("x"));
        near.driver.wake();
        world.run(400);
      }
      const expected = Math.floor((clockOffsetMs + 100) / 4) % 65_536;
      expect(stamps).toEqual([0, 1, 2, 3].map((n) => (expected + 100 * n) % 65_536));
      return { srtt: session.rtt.srtt, rttvar: session.rtt.rttvar };
    });
    expect(times[0]?.srtt).toBeGreaterThanOrEqual(20);
    for (const time of times) expect(time).toEqual(times[0]);
  });
});

describe("session IDs to receive on", () => {
  it(...rfc("R7016-3.3-03"), "are never 0, and never those of another session", () => {
    const world = new SimWorld(1);
    const offered = [0, 0, 7, 7, 0, 9];
    const node = rawNode(world.host("near"), "near", { allocateSessionId: () => offered.shift() as number });
    const ids = [1, 2].map(() => node.endpoint.open(0, nameOf("far"), { candidates: [] }).nearId);
    expect(ids).toEqual([7, 9]);
    expect(offered).toEqual([]);
  });
});

function textIs(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder().decode(bytes) === text;
}

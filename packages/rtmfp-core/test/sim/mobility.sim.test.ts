import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { Address } from "../../src/index.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { STARTUP_HEADER } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { ack, openScripted, Scripted } from "./scripted.ts";
import { connect, makePair, numbered, numberOf, type Pair } from "./support.ts";

/** Sends 400 messages, with `change` after a second; gives the sessions, and checks that all arrived in order. */
async function transferThrough(pair: Pair, change: (world: SimWorld) => void): Promise<Address[]> {
  const { near, far } = await connect(pair);
  const got: number[] = [];
  const movedFrom: Address[] = [];
  far.onMoved = (from) => movedFrom.push(from);
  far.onFlow = (flow) => {
    flow.onMessage = (message) => got.push(numberOf(message));
  };
  const flow = near.openFlow("moving");
  pair.world.after(1_000, () => change(pair.world));
  const send = async (): Promise<void> => {
    for (let i = 0; i < 400; i++) {
      await flow.ready;
      flow.write(numbered(i, 2_000));
      await pair.world.sleep(10);
    }
    await flow.close();
  };
  await pair.world.settle(send(), 300_000);
  expect(got).toEqual(Array.from({ length: 400 }, (_, i) => i));
  return movedFrom;
}

const unprotected = { crypto: { hmac: "none", sequence: "none" } } as const;

describe("an address that changes in mid-transfer", () => {
  for (const [what, options] of [
    ["HMAC", {}],
    ["a checksum alone", unprotected],
  ] as const) {
    it(...rfc("R7016-3.5.3-01"), `is followed on a session with ${what}`, async () => {
      const pair = makePair(1, { latencyMs: 20, bitsPerSecond: 5_000_000 }, options);
      const moved = await transferThrough(pair, () => pair.clientHost.move({ addresses: ["203.0.113.7"] }));
      expect(moved.map(({ host }) => host)).toEqual(["192.0.2.1"]);
      expect([...pair.server.sessions][0]?.address.host).toBe("203.0.113.7");
      expect(pair.server.stats.moves).toBe(1);
    });
  }

  it(...rfc("R7016-3.5.3-01"), "is followed when a NAT forgets its mappings", async () => {
    const world = new SimWorld(4);
    const nat = world.nat("nat", { kind: "port-restricted-cone" });
    const pair = makePair(4, { latencyMs: 20 }, {}, { world, client: { behind: nat } });
    const moved = await transferThrough(pair, () => nat.rebind());
    expect(moved.length).toBe(1);
  });

  it("is followed at both ends, one after the other", async () => {
    const pair = makePair(5, { latencyMs: 20 });
    const moved = await transferThrough(pair, (world) => {
      pair.clientHost.move({ addresses: ["203.0.113.7"] });
      world.after(1_500, () => pair.serverHost.move({ addresses: ["203.0.113.8"] }));
    });
    expect(moved.length).toBe(1);
    expect([...pair.client.sessions][0]?.address.host).toBe("203.0.113.8");
  });
});

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly other: Scripted;
  readonly third: Scripted;
  readonly session: Session;
}

/** A session of a node with `far`; `other` and `third` can send in its name from elsewhere. */
function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  const [far, other, third] = ["far", "other", "third"].map(
    (name) => new Scripted(world.host(name, { link }), "far", node.address),
  ) as [Scripted, Scripted, Scripted];
  const session = openScripted(world, node, far, "initiator");
  for (const one of [other, third]) {
    one.farId = far.farId;
    one.mode = 1;
  }
  far.take();
  return { world, node, far, other, third, session };
}

/** Sends something valid in the session's name, and gives the probes that came back. */
function provoke(b: Bench, from: Scripted): Uint8Array[] {
  from.send(ack(999, 0, 0));
  b.world.run(1);
  return from.takeChunks(ChunkType.ping).map(({ message }) => message);
}

/** Answers a probe from some address. */
function answer(b: Bench, from: Scripted, message: Uint8Array | undefined): void {
  from.send({ type: ChunkType.pingReply, message: message as Uint8Array });
  b.world.run(1);
}

describe("a packet from another address", () => {
  it(
    ...rfc("R7016-3.5.4.2-01", "R7016-3.5.4.2-02", "V1-40"),
    "is answered by at most one secret Ping a second, and moves nothing by itself",
    () => {
      const b = bench();
      for (let i = 0; i < 500; i++) {
        b.other.send(ack(999, 0, 0));
        b.third.send(ack(999, 0, 0));
        b.world.run(10);
      }
      const pings = [...b.other.take(), ...b.third.take()];
      expect(pings.length).toBeGreaterThanOrEqual(5);
      expect(pings.length).toBeLessThanOrEqual(6);
      expect(pings.every(({ chunks }) => chunks.length === 1 && chunks[0]?.type === ChunkType.ping)).toBe(true);
      expect(b.session.address).toEqual(b.far.address);
      expect(b.node.endpoint.stats.moves).toBe(0);
    },
  );

  it(...rfc("R7016-3.5.4.2-03", "R7016-3.5.3-01"), "moves the session once the Ping is answered from there", () => {
    const b = bench();
    const [probe] = provoke(b, b.other);
    expect(probe?.[0]).toBe(0x4d);
    expect(b.session.address).toEqual(b.far.address);
    answer(b, b.other, probe);
    expect(b.session.address).toEqual(b.other.address);
    expect(b.node.told("moved")).toMatchObject([{ from: b.far.address }]);
    b.session.ping(nameOf("x"));
    b.node.driver.wake();
    b.world.run(1);
    expect(b.other.heard()).toEqual(["ping"]);
    expect(b.node.endpoint.sessions.atAddress(b.other.address)).toBe(b.session);
    expect(b.node.endpoint.sessions.atAddress(b.far.address)).toBeUndefined();
  });

  it(...rfc("R7016-3.5.4.2-03"), "does not move it by an answer from elsewhere, changed, replayed or too old", () => {
    const b = bench();
    const [probe] = provoke(b, b.other) as [Uint8Array];
    answer(b, b.third, probe);
    expect(b.session.address).toEqual(b.far.address);
    for (const at of [1, 8, 9, 40]) {
      const changed = probe.slice();
      changed[at] = (changed[at] as number) ^ 1;
      answer(b, b.other, changed);
    }
    expect(b.session.address).toEqual(b.far.address);
    b.world.run(2_000);
    const [later] = provoke(b, b.other) as [Uint8Array];
    answer(b, b.other, later);
    expect(b.session.address).toEqual(b.other.address);
    b.world.run(2_000);
    const [home] = provoke(b, b.far) as [Uint8Array];
    answer(b, b.far, home);
    expect(b.session.address).toEqual(b.far.address);
    answer(b, b.other, later);
    answer(b, b.other, probe);
    expect(b.session.address).toEqual(b.far.address);
    b.world.run(2_000);
    const [old] = provoke(b, b.other) as [Uint8Array];
    b.world.run(121_000);
    answer(b, b.other, old);
    expect(b.session.address).toEqual(b.far.address);
  });

  it(
    ...rfc("AMB-24", "R7016-5-03"),
    "moves a session without HMAC once in 10 s at most, or not at all if told so",
    () => {
      const b = bench({ farHmac: false });
      const [probe] = provoke(b, b.other);
      answer(b, b.other, probe);
      expect(b.session.address).toEqual(b.other.address);
      b.world.run(9_000);
      expect(provoke(b, b.far)).toEqual([]);
      b.world.run(1_100);
      const [back] = provoke(b, b.far);
      answer(b, b.far, back);
      expect(b.session.address).toEqual(b.far.address);
      for (const options of [{ farHmac: false, mobility: "hmac" }, { mobility: "off" }] as const) {
        const c = bench(options);
        expect(provoke(c, c.other)).toEqual([]);
      }
      const d = bench({ mobility: "hmac" });
      expect(provoke(d, d.other).length).toBe(1);
    },
  );

  it(...rfc("AMB-22"), "that holds a Ping is answered at the address in force", () => {
    const b = bench();
    b.other.send({ type: ChunkType.ping, message: nameOf("x") });
    b.world.run(1);
    expect(b.far.heard()).toEqual(["pingReply"]);
    expect(b.other.heard()).toEqual(["ping"]);
  });

  it("that closes the session needs no probe", () => {
    const b = bench();
    b.other.send({ type: ChunkType.closeAck });
    b.world.run(1);
    expect(b.session.state).toBe("S_CLOSED");
    expect(b.other.take()).toEqual([]);
  });

  it("that nobody could have sent is not taken for a sign of life", () => {
    const b = bench({ keepaliveMs: 10_000 });
    for (let i = 0; i < 60; i++) {
      b.other.sendRaw(b.other.farId, { ...STARTUP_HEADER, mode: 2 }, [ack(999, 0, 0)]);
      b.world.run(1_000);
    }
    expect(b.session.state).toBe("S_CLOSED");
  });
});

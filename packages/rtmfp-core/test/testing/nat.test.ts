import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import type { Address } from "../../src/proto/address.ts";
import { formatAddress } from "../../src/proto/address.ts";
import { type NatKind, type NatOptions, type SimNat, SimWorld } from "../../src/testing/index.ts";
import { type Node, node } from "./support.ts";

const KINDS: readonly NatKind[] = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"];

interface Home {
  readonly world: SimWorld;
  readonly nat: SimNat;
  readonly inside: Node;
  /** Two sockets on one outside address, and one on another. */
  readonly server: Node;
  readonly serverSecondPort: Node;
  readonly other: Node;
}

function home(options: NatOptions): Home {
  const world = new SimWorld("nat");
  const nat = world.nat("nat", options);
  const serverHost = world.host("server");
  return {
    world,
    nat,
    inside: node(world.host("inside", { behind: nat })),
    server: node(serverHost),
    serverSecondPort: node(serverHost),
    other: node(world.host("other")),
  };
}

/** Sends one datagram and gives its source as the receiver saw it; undefined if it did not arrive. */
function probe(world: SimWorld, from: Node, to: Node, address: Address = to.address): Address | undefined {
  const before = to.received.length;
  from.send(address, [7]);
  world.run(100);
  return to.received[before]?.from;
}

describe("SimNat", () => {
  const filtering: Record<NatKind, readonly boolean[]> = {
    "full-cone": [true, true, true],
    "restricted-cone": [true, true, false],
    "port-restricted-cone": [true, false, false],
    symmetric: [true, false, false],
  };
  for (const kind of KINDS) {
    it(`maps and filters as a ${kind} NAT`, () => {
      const { world, nat, inside, server, serverSecondPort, other } = home({ kind });
      expect(probe(world, server, inside, { host: nat.addresses[0] as string, port: 5000 })).toBeUndefined();
      const outside = probe(world, inside, server) as Address;
      expect(outside.host).toBe(nat.addresses[0]);
      expect(outside.port).not.toBe(inside.address.port);
      const reached = [server, serverSecondPort, other].map(
        (from) => probe(world, from, inside, outside) !== undefined,
      );
      expect(reached).toEqual(filtering[kind]);
      const ports = [server, serverSecondPort, other].map((to) => probe(world, inside, to)?.port);
      expect(new Set(ports).size).toBe(kind === "symmetric" ? 3 : 1);
      expect(ports[0]).toBe(outside.port);
      expect(nat.mappings).toHaveLength(kind === "symmetric" ? 3 : 1);
      // Having sent to all three, each may answer the port that it saw.
      const answers = [server, serverSecondPort, other].map(
        (from, i) => probe(world, from, inside, { host: outside.host, port: ports[i] as number })?.port,
      );
      expect(answers).toEqual([server.address.port, serverSecondPort.address.port, other.address.port]);
    });
  }

  it("gives two inside sockets different outer ports", () => {
    const { world, nat, inside, server } = home({ kind: "full-cone", preservePorts: true });
    const second = node(world.host("second", { behind: nat }), [{ port: inside.address.port }]);
    expect(probe(world, inside, server)?.port).toBe(inside.address.port);
    expect(probe(world, second, server)?.port).not.toBe(inside.address.port);
  });

  it("ends a mapping when nothing went out for the timeout, whatever came in", () => {
    const { world, inside, server } = home({ kind: "full-cone", mappingTimeoutMs: 30_000 });
    const outside = probe(world, inside, server) as Address;
    world.run(20_000);
    expect(probe(world, inside, server)).toEqual(outside);
    world.run(20_000);
    expect(probe(world, server, inside, outside)).toBeDefined();
    world.run(20_000);
    expect(probe(world, server, inside, outside)).toBeUndefined();
    expect(probe(world, inside, server)?.port).not.toBe(outside.port);
  });

  it("keeps a mapping alive by packets in where that is set", () => {
    const { world, inside, server } = home({
      kind: "port-restricted-cone",
      mappingTimeoutMs: 30_000,
      refreshInbound: true,
    });
    const outside = probe(world, inside, server) as Address;
    for (let i = 0; i < 5; i++) {
      world.run(20_000);
      expect(probe(world, server, inside, outside), `round ${i}`).toBeDefined();
    }
  });

  it("ends a permission by itself while others keep the mapping", () => {
    const { world, inside, server, other } = home({ kind: "restricted-cone", mappingTimeoutMs: 30_000 });
    const outside = probe(world, inside, server) as Address;
    for (let i = 0; i < 3; i++) {
      world.run(15_000);
      probe(world, inside, other);
    }
    expect(probe(world, other, inside, outside)).toBeDefined();
    expect(probe(world, server, inside, outside)).toBeUndefined();
  });

  for (const hairpin of [true, false]) {
    it(`${hairpin ? "turns back" : "drops"} what an inside host sends to an outer address of its own NAT`, () => {
      const { world, nat, inside, server } = home({ kind: "full-cone", hairpin });
      const neighbour = node(world.host("neighbour", { behind: nat }));
      const outside = probe(world, inside, server) as Address;
      const source = probe(world, neighbour, inside, outside);
      expect(source?.host).toBe(hairpin ? nat.addresses[0] : undefined);
      expect(world.stats.dropped.nat).toBe(hairpin ? 0 : 1);
      expect(probe(world, neighbour, inside)).toEqual(neighbour.address);
    });
  }

  for (const preservePorts of [true, false]) {
    it(`takes another port after a rebinding, ports ${preservePorts ? "" : "not "}preserved`, () => {
      const { world, nat, inside, server } = home({ kind: "port-restricted-cone", preservePorts });
      const before = probe(world, inside, server) as Address;
      nat.rebind();
      expect(probe(world, server, inside, before)).toBeUndefined();
      const after = probe(world, inside, server) as Address;
      expect(after.host).toBe(before.host);
      expect(after.port).not.toBe(before.port);
      expect(probe(world, server, inside, after)).toEqual(server.address);
    });
  }

  it("takes another address where a rebinding names one", () => {
    const { world, nat, inside, server } = home({ kind: "full-cone" });
    const before = probe(world, inside, server) as Address;
    nat.rebind(["203.0.113.77"]);
    expect(probe(world, server, inside, before)).toBeUndefined();
    expect(world.stats.dropped.unroutable).toBe(1);
    expect(probe(world, inside, server)?.host).toBe("203.0.113.77");
  });

  it("stands behind another NAT", () => {
    const world = new SimWorld("nested");
    const carrierGrade = world.nat("cgn", { kind: "port-restricted-cone" });
    const box = world.nat("box", { kind: "full-cone", behind: carrierGrade });
    const inside = node(world.host("inside", { behind: box }));
    const server = node(world.host("server"));
    const outside = probe(world, inside, server) as Address;
    expect(outside.host).toBe(carrierGrade.addresses[0]);
    expect(probe(world, server, inside, outside)).toEqual(server.address);
    expect(carrierGrade.mappings[0]?.inside).toEqual(box.mappings[0]?.outside);
  });

  it("has no way for a family that it has no outer address of", () => {
    const world = new SimWorld("families");
    const nat = world.nat("nat", { kind: "full-cone" });
    const inside = node(world.host("inside", { behind: nat, addresses: ["2001:db8::5"] }));
    const server = node(world.host("server", { addresses: ["2001:db8:1::1"] }));
    expect(probe(world, inside, server)).toBeUndefined();
    expect(world.stats.dropped.nat).toBe(1);
  });

  for (const left of KINDS) {
    for (const right of KINDS) {
      const strict = (kind: NatKind): boolean => kind === "port-restricted-cone" || kind === "symmetric";
      const possible = !(left === "symmetric" && strict(right)) && !(right === "symmetric" && strict(left));
      it(`${possible ? "lets" : "does not let"} ${left} and ${right} meet by hole punching`, () => {
        expect(punch(left, right)).toBe(possible);
      });
    }
  }
});

/** Both sides learn each other's address as a server sees it, send to it ten times, and answer whatever source. */
function punch(left: NatKind, right: NatKind): boolean {
  const world = new SimWorld(`${left} ${right}`);
  const server = node(world.host("server"));
  const peers = [left, right].map((kind, i) =>
    node(world.host(`peer ${i}`, { behind: world.nat(`nat ${i}`, { kind }) })),
  ) as [Node, Node];
  const seen = peers.map((peer) => probe(world, peer, server) as Address) as [Address, Address];
  expect(formatAddress(seen[0])).not.toBe(formatAddress(seen[1]));
  const met = [false, false];
  peers.forEach((peer, i) => {
    peer.carrier.onDatagram = (bytes, from) => {
      // 1: a first packet; 2: an answer to it; 3: an answer to the answer. 2 and 3 show that packets pass both ways.
      const mark = bytes[0] as number;
      if (mark < 3) peer.send(from, [mark + 1]);
      if (mark > 1) met[i] = true;
    };
    for (let n = 0; n < 10; n++) world.after(100 * n, () => peer.send(seen[1 - i] as Address, [1]));
  });
  world.run(5000);
  expect(met[0]).toBe(met[1]);
  return met[0] === true;
}

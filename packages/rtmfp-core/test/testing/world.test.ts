import { createHash } from "node:crypto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { Carrier } from "../../src/node/carrier.ts";
import { formatAddress } from "../../src/proto/address.ts";
import { type SimHost, SimWorld } from "../../src/testing/index.ts";
import { type Node, node } from "./support.ts";

function pair(): { world: SimWorld; hosts: [SimHost, SimHost]; alice: Node; bob: Node } {
  const world = new SimWorld("pair");
  const hosts: [SimHost, SimHost] = [world.host("alice"), world.host("bob")];
  return { world, hosts, alice: node(hosts[0]), bob: node(hosts[1]) };
}

describe("SimCarrier", () => {
  it(
    ...rfc("R7016-2.2.1-01", "R7016-2.2.1-02", "R7016-3.3-01"),
    "fulfils the carrier contract in memory, on any port",
    () => {
      const world = new SimWorld("contract");
      const carrier: Carrier = world.host("alice").open([{ port: 77 }]);
      const echo: Carrier = world.host("bob", { addresses: ["203.0.113.2"] }).open([{ host: "203.0.113.2", port: 9 }]);
      echo.onDatagram = (bytes, from, via) => echo.send(bytes, via, from);
      const got: string[] = [];
      carrier.onDatagram = (bytes, from, via) => got.push(`${bytes.join()} from ${formatAddress(from)} by ${via}`);
      carrier.send(Uint8Array.of(1, 2, 3), carrier.sockets[0]?.via ?? -1, { host: "203.0.113.2", port: 9 });
      world.run(100);
      expect(got).toEqual(["1,2,3 from 203.0.113.2:9 by 0"]);
      expect(carrier.sockets.map(({ address }) => address)).toEqual([{ host: "0.0.0.0", port: 77 }]);
    },
  );

  it("calls the alarm once, at its time, and only the last one set", () => {
    const { world, alice } = pair();
    const rang: number[] = [];
    alice.carrier.onAlarm = () => rang.push(alice.carrier.now());
    alice.carrier.setAlarm(50);
    alice.carrier.setAlarm(20.25);
    world.run(100);
    expect(rang).toEqual([20.25]);
    alice.carrier.setAlarm(130);
    alice.carrier.setAlarm(Number.POSITIVE_INFINITY);
    world.run(100);
    alice.carrier.setAlarm(3);
    expect(rang).toEqual([20.25]);
    world.run(1);
    expect(rang).toEqual([20.25, 200]);
  });

  it("rings at the deadline that stands, however it was moved before", () => {
    const { world, alice } = pair();
    const rang: number[] = [];
    alice.carrier.onAlarm = () => rang.push(alice.carrier.now());
    for (const at of [50, 80, 120, 60, 90]) alice.carrier.setAlarm(at);
    world.after(55, () => alice.carrier.setAlarm(70));
    world.after(65, () => alice.carrier.setAlarm(75));
    world.run(1000);
    expect(rang).toEqual([75]);
    let events = 0;
    for (let at = 2000; at < 12_000; at++) alice.carrier.setAlarm(at);
    while (world.step()) events++;
    expect([rang, events < 5]).toEqual([[75, 11_999], true]);
  });

  it("never rings before its time on a clock that runs at another rate", () => {
    const world = new SimWorld("skew");
    const carrier = world.host("alice", { clockOffsetMs: 1e6 + 1 / 3, clockRate: 1.08 }).open();
    let asked = carrier.now();
    let rings = 0;
    carrier.onAlarm = () => {
      rings++;
      expect(carrier.now()).toBeGreaterThanOrEqual(asked);
      expect(carrier.now() - asked).toBeLessThan(1e-6);
      asked += 0.1 * rings;
      carrier.setAlarm(asked);
    };
    carrier.setAlarm(asked);
    world.run(10_000);
    expect(rings).toBeGreaterThan(400);
    expect(carrier.now()).toBeCloseTo(1e6 + 1 / 3 + 10_800, 6);
  });

  it("defers a turn behind all datagrams of the same instant", () => {
    const { world, alice, bob } = pair();
    const log: string[] = [];
    bob.carrier.onDatagram = (bytes) => {
      log.push(`datagram ${bytes[0]}`);
      if (bytes[0] === 1) bob.carrier.defer(() => log.push(`turn at ${bob.carrier.now()}`));
    };
    for (const mark of [1, 2, 3]) alice.send(bob.address, [mark]);
    world.run(100);
    expect(log).toEqual(["datagram 1", "datagram 2", "datagram 3", "turn at 10"]);
  });

  it("copies what is sent, and hands over bytes that nobody shares", () => {
    const { world, hosts, alice, bob } = pair();
    hosts[0].link.up.set({ duplicate: 1 });
    const kept: Uint8Array[] = [];
    bob.carrier.onDatagram = (bytes) => {
      kept.push(bytes.slice());
      bytes.fill(7);
    };
    const capture = world.capture();
    const buffer = Uint8Array.of(1, 2, 3);
    alice.carrier.send(buffer, 0, bob.address);
    buffer.fill(9);
    world.run(100);
    expect(kept).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
    expect(capture.records.map(({ bytes }) => bytes.join())).toEqual(["1,2,3", "1,2,3", "1,2,3"]);
  });

  it("is silent after close, and frees its port", async () => {
    const { world, hosts, alice, bob } = pair();
    bob.carrier.onAlarm = () => expect.unreachable("alarm after close");
    bob.carrier.setAlarm(50);
    alice.send(bob.address, [1]);
    await bob.carrier.close();
    bob.send(alice.address, [1]);
    bob.carrier.setAlarm(60);
    world.run(100);
    expect([alice.received, bob.received, world.stats.dropped.closed, world.stats.sent]).toEqual([[], [], 1, 1]);
    const again = node(hosts[1], [{ port: bob.address.port }]);
    alice.send(again.address, [2]);
    world.run(100);
    expect(again.marks()).toEqual([2]);
  });

  it("refuses a taken port and a foreign address", () => {
    const { hosts, bob } = pair();
    expect(() => hosts[1].open([{ port: bob.address.port }])).toThrow("is already in use");
    expect(() => hosts[1].open([{ port: 8 }, { port: 8 }])).toThrow("expected sockets to differ");
    expect(() => hosts[1].open([{ host: "192.0.2.1" }])).toThrow('"bob" has no address 192.0.2.1');
    expect(() => new SimWorld(1).host("x", { addresses: ["nonsense"] })).toThrow("expected an IP address");
  });

  it("resolves literals and registered names, and rejects the rest", async () => {
    const { world, alice } = pair();
    world.name("Server.example", ["203.0.113.1", "2001:DB8::0:1"]);
    const resolve = (host: string): Promise<unknown> => world.settle(alice.carrier.resolve(host, 1935), 1000);
    expect(await resolve("server.example")).toEqual([
      { host: "203.0.113.1", port: 1935 },
      { host: "2001:db8::1", port: 1935 },
    ]);
    expect(await resolve("192.0.2.9")).toEqual([{ host: "192.0.2.9", port: 1935 }]);
    expect(await resolve("localhost")).toHaveLength(2);
    await expect(resolve("nowhere.example")).rejects.toMatchObject({ code: "ENOTFOUND" });
    world.name("server.example", []);
    await expect(resolve("server.example")).rejects.toThrow("ENOTFOUND");
  });
});

describe("SimHost", () => {
  it("uses one socket per family and several addresses", () => {
    const world = new SimWorld("dual");
    const dual = world.host("dual", { addresses: ["203.0.113.5", "203.0.113.6", "2001:db8::5", "fe80::1"] });
    const alice = node(dual);
    const old = node(world.host("old", { addresses: ["203.0.113.9"] }));
    const modern = node(world.host("modern", { addresses: ["2001:db8::9"] }));
    const ports = alice.carrier.sockets.map(({ address }) => address.port) as [number, number];
    expect(alice.carrier.sockets.map(({ address }) => address.host)).toEqual(["0.0.0.0", "::"]);
    expect(alice.carrier.interfaceAddresses()).toEqual([
      { host: "203.0.113.5", port: ports[0] },
      { host: "203.0.113.6", port: ports[0] },
      { host: "2001:db8::5", port: ports[1] },
    ]);
    old.send({ host: "203.0.113.6", port: ports[0] }, [1]);
    modern.send({ host: "2001:db8::5", port: ports[1] }, [2]);
    alice.carrier.send(Uint8Array.of(3), 0, old.address);
    alice.carrier.send(Uint8Array.of(4), 1, modern.address);
    alice.carrier.send(Uint8Array.of(5), 1, old.address);
    world.run(100);
    expect(alice.marks()).toEqual([1, 2]);
    expect([old.received[0]?.from.host, modern.received[0]?.from.host]).toEqual(["203.0.113.5", "2001:db8::5"]);
    expect(world.stats.dropped.unroutable).toBe(1);
  });

  it("reaches itself by loopback and by its own address, others not by loopback", () => {
    const { world, hosts, alice, bob } = pair();
    const local = node(hosts[0], [{ host: "127.0.0.1" }]);
    const target = { host: "127.0.0.1", port: local.carrier.sockets[0]?.address.port as number };
    alice.send(target, [1]);
    bob.send(target, [2]);
    local.send(bob.address, [3]);
    hosts[0].link.set({ loss: 1 });
    bob.send({ host: "127.0.0.1", port: bob.address.port }, [4]);
    local.send({ host: "127.0.0.1", port: alice.address.port }, [5]);
    alice.send(alice.address, [6]);
    world.run(100);
    expect([local.marks(), bob.marks(), alice.marks()]).toEqual([[1], [4], [5, 6]]);
    expect(local.received[0]?.from).toEqual({ host: "127.0.0.1", port: alice.address.port });
    expect(local.carrier.interfaceAddresses()).toEqual([]);
  });

  it("goes on by its new address after a move, and not by the old one", () => {
    const { world, hosts, alice, bob } = pair();
    const nat = world.nat("cell", { kind: "symmetric" });
    alice.send(bob.address, [1]);
    bob.send(alice.address, [2]);
    hosts[0].move({ addresses: ["203.0.113.44"] });
    world.run(100);
    alice.send(bob.address, [3]);
    world.run(100);
    hosts[0].move({ behind: nat });
    alice.send(bob.address, [4]);
    world.run(100);
    bob.send(bob.received[2]?.from ?? alice.address, [5]);
    world.run(100);
    expect(bob.received.map(({ from }) => from.host)).toEqual([
      alice.address.host,
      "203.0.113.44",
      nat.addresses[0] as string,
    ]);
    expect(alice.marks()).toEqual([5]);
    expect(world.stats.dropped.unroutable).toBe(1);
  });

  it("sends under a forged source", () => {
    const { world, hosts, bob } = pair();
    hosts[0].inject({ host: "192.0.2.66", port: 6 }, bob.address, Uint8Array.of(1));
    world.run(100);
    expect(bob.received[0]?.from).toEqual({ host: "192.0.2.66", port: 6 });
  });
});

describe("SimWorld", () => {
  it("partitions for a time, and lets outages be one-way and lifted", () => {
    const { world, hosts, alice, bob } = pair();
    const exchange = (mark: number): [boolean, boolean] => {
      alice.send(bob.address, [mark]);
      bob.send(alice.address, [mark]);
      world.run(100);
      return [bob.marks().includes(mark), alice.marks().includes(mark)];
    };
    world.partition([hosts[0]], [hosts[1]], 1000);
    expect(exchange(1)).toEqual([false, false]);
    world.run(1000);
    expect(exchange(2)).toEqual([true, true]);
    const outage = world.block([hosts[0]], [hosts[1]]);
    expect(exchange(3)).toEqual([false, true]);
    outage.lift();
    expect(exchange(4)).toEqual([true, true]);
    expect(world.stats.dropped.blocked).toBe(3);
  });

  it("partitions all that is behind a NAT by naming the NAT", () => {
    const world = new SimWorld("partition nat");
    const nat = world.nat("nat", { kind: "full-cone" });
    const inside = [1, 2].map((i) => node(world.host(`inside ${i}`, { behind: nat }))) as [Node, Node];
    const serverHost = world.host("server");
    const server = node(serverHost);
    world.partition([nat], [serverHost]);
    inside[0].send(server.address, [1]);
    inside[1].send(server.address, [2]);
    inside[0].send(inside[1].address, [3]);
    world.run(100);
    expect([server.marks(), inside[1].marks()]).toEqual([[], [3]]);
  });

  it("shows filters the datagrams before and after NAT, to drop or alter", () => {
    const world = new SimWorld("filter");
    const nat = world.nat("nat", { kind: "full-cone" });
    const inside = node(world.host("inside", { behind: nat }));
    const server = node(world.host("server"));
    const seen: string[] = [];
    const remove = world.filter(({ from, bytes }) => {
      seen.push(from.host);
      return bytes[0] === 1 ? "drop" : bytes[0] === 2 ? Uint8Array.of(20) : undefined;
    });
    world.filter(({ from, to }) => {
      seen.push(`${from.host} to ${to.port}`);
      return undefined;
    }, "delivered");
    for (const mark of [1, 2, 3]) inside.send(server.address, [mark]);
    world.run(100);
    expect(server.marks()).toEqual([20, 3]);
    const sent = inside.address.host;
    const arrived = `${nat.addresses[0]} to ${server.address.port}`;
    expect(seen).toEqual([sent, sent, sent, arrived, arrived]);
    remove();
    inside.send(server.address, [1]);
    world.run(100);
    expect(server.marks()).toEqual([20, 3, 1]);
  });

  it("captures what is wanted until it is stopped", () => {
    const { world, alice, bob } = pair();
    const capture = world.capture(({ bytes }) => bytes[0] !== 2);
    alice.send(bob.address, [1]);
    alice.send(bob.address, [2]);
    alice.send({ host: bob.address.host, port: 1 }, [3]);
    world.run(100);
    capture.stop();
    alice.send(bob.address, [4]);
    world.run(100);
    expect(
      capture.records.map(({ time, event, reason, bytes, sender }) => [time, event, reason, bytes[0], sender]),
    ).toEqual([
      [0, "sent", undefined, 1, "alice"],
      [0, "sent", undefined, 3, "alice"],
      [10, "delivered", undefined, 1, "alice"],
      [10, "dropped", "closed", 3, "alice"],
    ]);
  });

  it("accounts for every datagram, and repeats a rough run byte for byte by its seed alone", () => {
    const first = roughRun(1);
    expect(roughRun(1)).toBe(first);
    expect(roughRun(2)).not.toBe(first);
  });

  it("lets code that awaits run in virtual time", async () => {
    const { world, alice, bob } = pair();
    bob.carrier.onDatagram = (bytes, from, via) => bob.carrier.send(bytes, via, from);
    const request = (mark: number): Promise<number> =>
      new Promise((resolve) => {
        alice.carrier.onDatagram = (bytes) => resolve(bytes[0] as number);
        alice.send(bob.address, [mark]);
      });
    const talk = async (): Promise<number> => {
      let sum = 0;
      for (let i = 1; i <= 50; i++) sum += await request(i);
      return sum;
    };
    expect(await world.settle(talk(), 10_000)).toBe(1275);
    expect(world.now).toBe(50 * 20);
  });
});

/** Twelve hosts, half of them behind NATs, chat at random over links with every fault; gives a digest of the capture. */
function roughRun(seed: number): string {
  const world = new SimWorld(seed);
  const link = {
    jitterMs: 8,
    loss: 0.05,
    burst: { enter: 0.01, leave: 0.3 },
    reorder: 0.05,
    duplicate: 0.05,
    mtu: 1200,
    bitsPerSecond: 400_000,
    queueBytes: 8_000,
  };
  const kinds = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"] as const;
  const hosts = Array.from({ length: 12 }, (_, i) => {
    const kind = kinds[i % 4] as (typeof kinds)[number];
    return world.host(`host ${i}`, i % 2 === 0 ? { link } : { link, behind: world.nat(`nat ${i}`, { kind }) });
  });
  const nodes = hosts.map((host) => node(host));
  const capture = world.capture();
  nodes.forEach((self, i) => {
    const host = hosts[i] as SimHost;
    let known = (nodes[0] as Node).address;
    self.carrier.onDatagram = (bytes, from, via) => {
      known = from;
      if ((bytes[0] as number) > 100) self.carrier.send(bytes.subarray(1), via, from);
    };
    self.carrier.onAlarm = () => {
      const [pick, high, low] = host.random(3) as unknown as [number, number, number];
      const to = high < 128 ? known : (nodes[pick % 12] as Node).address;
      self.send(to, host.random(1 + ((high * 256 + low) % 3000)));
      if (world.now < 5000) self.carrier.setAlarm(self.carrier.now() + 1 + (low % 40));
    };
    self.carrier.setAlarm(i);
  });
  world.after(2000, () => hosts[2]?.move({}));
  world.after(2500, () => hosts[3]?.behind?.rebind());
  world.partition(hosts.slice(0, 3), hosts.slice(6), 1000);
  world.run(Number.POSITIVE_INFINITY);
  const { sent, duplicated, delivered, dropped } = world.stats;
  const count = (event: string): number => capture.records.filter((record) => record.event === event).length;
  expect(sent + duplicated).toBe(delivered + Object.values(dropped).reduce((a, b) => a + b));
  expect([count("sent"), count("delivered"), count("sent") + duplicated - count("delivered")]).toEqual([
    sent,
    delivered,
    count("dropped"),
  ]);
  for (const reason of ["loss", "queue", "mtu", "nat", "blocked", "unroutable"] as const) {
    expect(dropped[reason], reason).toBeGreaterThan(0);
  }
  const hash = createHash("sha256");
  for (const { time, event, reason, from, to, bytes } of capture.records) {
    hash.update(`${time} ${event} ${reason} ${formatAddress(from)} ${formatAddress(to)}`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}

describe("a datagram of another world's", () => {
  it("goes on as if it had been told in time, through a NAT too, and comes at once where its time has passed", () => {
    const world = new SimWorld("beside another");
    const link = { latencyMs: 8, bitsPerSecond: 1e6 };
    const nat = world.nat("nat", { kind: "full-cone", link: { latencyMs: 0 } });
    const inside = node(world.host("inside", { link, behind: nat }));
    const outside = node(world.host("outside", { link }));
    const from = { host: "203.0.113.9", port: 9 };
    inside.send({ host: outside.address.host, port: outside.address.port }, [0]);
    world.run(100);
    const to = outside.received[0]?.from as { host: string; port: number };
    for (const [target, known] of [
      [to, inside.received],
      [outside.address, outside.received],
    ] as const) {
      const before = known.length;
      for (const lateMs of [0, 5, 30]) {
        const { now } = world;
        world.receive({ from, to: target, bytes: new Uint8Array(97) }, now - lateMs);
        world.run(50);
        const { at } = known.at(-1) as { at: number };
        // 125 bytes with their headers at 1 Mbit/s take 1 ms.
        expect(at - now).toBeCloseTo(Math.max(0, 9 - lateMs), 6);
      }
      expect(known).toHaveLength(before + 3);
    }
  });
});

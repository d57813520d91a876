import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { type LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { type Node, node } from "./support.ts";

/** Alice and Bob; the named settings hold on Alice's way up, all else is ideal. */
function pair(up: Partial<LinkOptions>): {
  world: SimWorld;
  alice: Node;
  bob: Node;
  set: (o: Partial<LinkOptions>) => void;
} {
  const world = new SimWorld("link");
  const ideal = { latencyMs: 0 };
  const host = world.host("alice", { link: ideal, up });
  const bob = node(world.host("bob", { link: ideal }));
  return { world, alice: node(host), bob, set: (options) => host.link.up.set(options) };
}

/** Sends `count` datagrams of `size` bytes, numbered in their first four bytes, one each millisecond. */
function stream(world: SimWorld, from: Node, to: Node, count: number, size = 100): number[] {
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(0, i);
    world.after(i, () => from.send(to.address, bytes));
  }
  world.run(count + 1000);
  return to.received.map(({ bytes }) => new DataView(bytes.buffer).getUint32(0));
}

describe("SimLink", () => {
  it("delays by its latency, each direction by its own", () => {
    const world = new SimWorld(1);
    const alice = node(world.host("alice", { up: { latencyMs: 30 }, down: { latencyMs: 7 } }));
    const bob = node(world.host("bob", { up: { latencyMs: 11 }, down: { latencyMs: 2 } }));
    bob.carrier.onDatagram = (bytes, from, via) => bob.carrier.send(bytes, via, from);
    alice.send(bob.address, [1]);
    world.run(1000);
    expect(alice.received[0]?.at).toBe(30 + 2 + 11 + 7);
  });

  it("spreads arrivals over the jitter and keeps their order", () => {
    const { world, alice, bob } = pair({ latencyMs: 50, jitterMs: 20 });
    const order = stream(world, alice, bob, 2000);
    const delays = bob.received.map(({ at }, i) => at - i);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...delays)).toBeLessThanOrEqual(70);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(10);
  });

  it("loses at random at the rate that was set, also after a change in mid-run", () => {
    const { world, alice, bob, set } = pair({ loss: 0.05 });
    stream(world, alice, bob, 20_000);
    const lost = world.stats.dropped.loss;
    expect(lost).toBe(20_000 - bob.received.length);
    expect(lost / 20_000).toBeCloseTo(0.05, 2);
    set({ loss: 0.3 });
    stream(world, alice, bob, 20_000);
    expect((world.stats.dropped.loss - lost) / 20_000).toBeCloseTo(0.3, 1);
    set({ loss: 1 });
    bob.received.length = 0;
    expect(stream(world, alice, bob, 10)).toEqual([]);
  });

  it("loses in bursts of the mean length and share of the Gilbert model", () => {
    const { world, alice, bob } = pair({ burst: { enter: 0.01, leave: 0.2 } });
    const count = 50_000;
    const arrived = new Set(stream(world, alice, bob, count));
    let bursts = 0;
    for (let i = 0; i < count; i++) if (!arrived.has(i) && (i === 0 || arrived.has(i - 1))) bursts++;
    const lost = count - arrived.size;
    expect(lost / count).toBeGreaterThan(0.035);
    expect(lost / count).toBeLessThan(0.06);
    expect(lost / bursts).toBeGreaterThan(4);
    expect(lost / bursts).toBeLessThan(6);
  });

  it("reorders the share that was set, by no more than the time that was set", () => {
    const { world, alice, bob } = pair({ reorder: 0.1, reorderMs: 5.5 });
    const order = stream(world, alice, bob, 5000);
    let late = 0;
    let highest = -1;
    for (const number of order) {
      if (number < highest) {
        late++;
        expect(highest - number).toBeLessThanOrEqual(5);
      }
      highest = Math.max(highest, number);
    }
    expect(order).toHaveLength(5000);
    expect(late / 5000).toBeGreaterThan(0.08);
    expect(late / 5000).toBeLessThan(0.12);
  });

  it("duplicates the share that was set", () => {
    const { world, alice, bob } = pair({ duplicate: 0.2 });
    const order = stream(world, alice, bob, 5000);
    expect(new Set(order).size).toBe(5000);
    expect(order.length - 5000).toBe(world.stats.duplicated);
    expect(world.stats.duplicated / 5000).toBeGreaterThan(0.18);
    expect(world.stats.duplicated / 5000).toBeLessThan(0.22);
  });

  it("spaces datagrams by its rate, headers included", () => {
    const { world, alice, bob } = pair({ bitsPerSecond: 1_000_000 });
    for (let i = 0; i < 10; i++) alice.send(bob.address, new Uint8Array(972));
    world.run(1000);
    expect(bob.received.map(({ at }) => at)).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 72, 80]);
  });

  it("drops from the tail of a full queue, and takes again when it has drained", () => {
    const { world, alice, bob } = pair({ bitsPerSecond: 1_000_000, queueBytes: 10_000 });
    for (let i = 0; i < 100; i++) alice.send(bob.address, [i, ...new Uint8Array(971)]);
    world.run(40);
    for (let i = 100; i < 110; i++) alice.send(bob.address, [i, ...new Uint8Array(971)]);
    world.run(1000);
    expect(bob.marks()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 101, 102, 103, 104]);
    expect(world.stats.dropped.queue).toBe(89 + 5);
  });

  it("follows a change of rate from the next datagram on", () => {
    const { world, alice, bob, set } = pair({ bitsPerSecond: 1_000_000 });
    for (let i = 0; i < 4; i++) alice.send(bob.address, new Uint8Array(972));
    world.run(12);
    set({ bitsPerSecond: 8_000_000 });
    world.run(1000);
    expect(bob.received.map(({ at }) => at)).toEqual([8, 16, 17, 18]);
  });

  it("refuses settings that make no sense", () => {
    const { set } = pair({});
    const bad = [{ loss: 1.5 }, { loss: Number.NaN }, { bitsPerSecond: 0 }, { mtu: 10 }, { latencyMs: -1 }];
    for (const options of bad) expect(() => set(options), JSON.stringify(options)).toThrow(RangeError);
    expect(() => set({ burst: { enter: 2, leave: 0.5 } })).toThrow("expected enter from 0 to 1, got 2");
  });
});

describe("path MTU", () => {
  /** Payload of exactly one IP packet of 1300 bytes. */
  const FITS = 1300 - 28;

  it("drops the first datagram that is too large, and then fragments silently", () => {
    const { world, alice, bob } = pair({ mtu: 1300 });
    for (const size of [FITS, FITS + 1, FITS + 1, FITS + 100, 5000]) {
      alice.send(bob.address, new Uint8Array(size));
      world.run(10);
    }
    expect(bob.received.map(({ bytes }) => bytes.length)).toEqual([FITS, FITS + 1, FITS + 100, 5000]);
    expect(world.stats.dropped.mtu).toBe(1);
  });

  it("learns for each destination, takes the narrowest link, and forgets after 10 minutes", () => {
    const world = new SimWorld("mtu");
    const alice = node(world.host("alice"));
    const bob = node(world.host("bob", { down: { mtu: 1280 } }));
    const carol = node(world.host("carol", { link: { mtu: 1400 } }));
    const send = (to: Node): number => {
      const before = to.received.length;
      alice.send(to.address, new Uint8Array(1472));
      world.run(100);
      return to.received.length - before;
    };
    expect([send(bob), send(bob), send(carol), send(carol)]).toEqual([0, 1, 0, 1]);
    world.run(600_000);
    expect([send(bob), send(bob)]).toEqual([0, 1]);
  });

  it("counts 20 more bytes of header on IPv6", () => {
    const world = new SimWorld("mtu6");
    const alice = node(world.host("alice", { addresses: ["2001:db8::1"] }));
    const bob = node(world.host("bob", { addresses: ["2001:db8::2"], link: { mtu: 1300 } }));
    for (const size of [1252, 1253, 1253]) {
      alice.send(bob.address, new Uint8Array(size));
      world.run(100);
    }
    expect(bob.received.map(({ bytes }) => bytes.length)).toEqual([1252, 1253]);
  });

  it("drops again when the path has become narrower than what was learned", () => {
    const { world, alice, bob, set } = pair({ mtu: 1400 });
    const sizes = [1472, 1372, 1372];
    alice.send(bob.address, new Uint8Array(1472));
    world.run(10);
    set({ mtu: 1200 });
    for (const size of sizes.slice(1)) {
      alice.send(bob.address, new Uint8Array(size));
      world.run(10);
    }
    expect([bob.received.length, world.stats.dropped.mtu]).toEqual([1, 2]);
  });

  it("needs every fragment to arrive", () => {
    const { world, alice, bob } = pair({ mtu: 1300, loss: 0.1 });
    // 6000 bytes make five fragments of at most 1280 bytes.
    stream(world, alice, bob, 10_001, 6000);
    expect(world.stats.dropped.mtu).toBe(1);
    const arrived = bob.received.length / 10_000;
    expect(arrived).toBeGreaterThan(0.9 ** 5 - 0.02);
    expect(arrived).toBeLessThan(0.9 ** 5 + 0.02);
  });

  it("pays the headers of every fragment in link time", () => {
    const { world, alice, bob } = pair({ mtu: 1300, bitsPerSecond: 8_000 });
    alice.send(bob.address, new Uint8Array(2000));
    alice.send(bob.address, new Uint8Array(2000));
    world.run(10_000);
    // 2008 bytes of UDP in two IP packets.
    expect(bob.received.map(({ at }) => at)).toEqual([2048]);
  });

  it("never carries what UDP cannot", () => {
    const { world, alice, bob } = pair({});
    for (let i = 0; i < 3; i++) alice.send(bob.address, new Uint8Array(65_508));
    world.run(100);
    expect([bob.received.length, world.stats.dropped.mtu]).toEqual([0, 3]);
  });
});

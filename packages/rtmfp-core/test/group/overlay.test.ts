import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { buildGroupspec } from "../../src/group/groupspec.ts";
import { FakeNet, type FakePeer, SPEC } from "./fake-net.ts";

// Hundreds of members are quick where nothing else runs, and not on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** Members that join one after the other within `ms`. */
async function joined(net: FakeNet, count: number, ms: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    net.member();
    await net.run(ms / count);
  }
}

/** Time until the ring is right for every member, neighbours up to `reach` places away; ms, in steps of 500. */
async function timeToRing(net: FakeNet, reach: number, limitMs: number): Promise<number> {
  const begun = net.clock.now;
  while (net.ringCorrectness(reach) < 1 && net.clock.now - begun < limitMs) await net.run(500);
  return net.clock.now - begun;
}

function kill(net: FakeNet, share: number): FakePeer[] {
  const killed = net.ring().filter(() => net.prng.chance(share));
  for (const peer of killed) peer.kill();
  return killed;
}

describe("a group", () => {
  it(...rfc("G-6"), "of a few members makes everybody everybody's neighbour", async () => {
    for (const count of [2, 3, 7]) {
      const net = new FakeNet(`few ${count}`);
      await joined(net, count, 1_000);
      await net.run(5_000);
      for (const peer of net.ring()) {
        expect(peer.group().neighborCount).toBe(count - 1);
        expect(peer.group().estimatedMemberCount).toBe(count);
      }
    }
  });

  it(...rfc("G-6"), "grows to a right ring in a few seconds, whomever the server tells of newcomers", async () => {
    for (const telling of ["both", "members", "newcomer's last six"] as const) {
      const net = new FakeNet(`grow ${telling}`);
      net.telling = telling;
      await joined(net, 50, 10_000);
      expect(await timeToRing(net, 3, 10_000)).toBeLessThanOrEqual(5_000);
      expect(net.reachable()).toBe(1);
    }
  });

  it(...rfc("G-6"), "grows from bootstrap peers alone", async () => {
    const net = new FakeNet("bootstrap");
    net.telling = "nobody";
    const first = net.peer();
    const spec = buildGroupspec({ version: 2, name: "ring", bootstrapPeers: [first.peerId] });
    first.join(spec);
    for (let i = 0; i < 25; i++) {
      net.peer().join(spec);
      await net.run(400);
    }
    await net.run(10_000);
    expect(net.ringCorrectness(3, spec)).toBe(1);
    expect(net.reachable(spec)).toBe(1);
  });

  it(...rfc("G-6"), "keeps a newcomer's true neighbours within seconds", async () => {
    const net = new FakeNet("newcomer");
    await joined(net, 50, 10_000);
    await net.run(10_000);
    for (let i = 0; i < 5; i++) {
      net.member();
      expect(await timeToRing(net, 3, 10_000)).toBeLessThanOrEqual(3_000);
    }
  });

  it(
    ...rfc("G-6"),
    "has about log2(N) + 13 neighbours for each, and no more are asked of anybody than of others",
    async () => {
      const net = new FakeNet("degree");
      await joined(net, 60, 10_000);
      await net.run(110_000);
      const counts = net.ring().map((peer) => peer.group().neighborCount);
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      const wanted = Math.floor(Math.log2(60)) + 13;
      expect(mean).toBeGreaterThan(wanted - 2);
      expect(mean).toBeLessThan(wanted * 1.35);
      expect(Math.max(...counts)).toBeLessThan(2.5 * wanted);
    },
  );

  it(...rfc("G-6"), "is estimated within a factor of two by most members, and of four by all", async () => {
    const net = new FakeNet("estimate");
    await joined(net, 120, 10_000);
    await net.run(15_000);
    const ratios = net.ring().map((peer) => peer.group().estimatedMemberCount / 120);
    const near = ratios.filter((ratio) => ratio > 0.5 && ratio < 2);
    expect(near.length).toBeGreaterThan(0.85 * ratios.length);
    for (const ratio of ratios) expect(ratio > 0.25 && ratio < 4).toBe(true);
  });

  it(...rfc("G-6"), "heals within 30 s when 30 % are killed at once", async () => {
    for (const count of [40, 300]) {
      const net = new FakeNet(`kill ${count}`);
      await joined(net, count, 15_000);
      await net.run(10_000);
      expect(net.ringCorrectness(3)).toBe(1);
      const killed = kill(net, 0.3);
      expect(killed.length).toBeGreaterThan(0.2 * count);
      expect(await timeToRing(net, 3, 40_000)).toBeLessThanOrEqual(30_000);
      expect(net.reachable()).toBe(1);
      // Nobody holds a dead one for a neighbour once its session is known to be over.
      await net.run(20_000);
      const dead = new Set(killed.map(({ peerId }) => peerId));
      for (const peer of net.ring()) {
        for (const { peerId } of peer.group().neighbours) expect(dead.has(peerId)).toBe(false);
      }
    }
  });

  it(...rfc("G-6"), "stays one, with a right ring, while members come and go for minutes", async () => {
    const net = new FakeNet("churn");
    await joined(net, 60, 10_000);
    for (let i = 0; i < 60; i++) {
      const ring = net.ring();
      const victim = ring[net.prng.int(ring.length)] as FakePeer;
      if (i % 3 === 0) victim.kill();
      else victim.leave();
      net.member();
      await net.run(3_000);
      expect(net.reachable()).toBe(1);
    }
    expect(await timeToRing(net, 1, 30_000)).toBeLessThanOrEqual(20_000);
  });

  it(...rfc("G-6"), "forgets those who are gone", async () => {
    const net = new FakeNet("forget");
    await joined(net, 30, 5_000);
    await net.run(20_000);
    for (const peer of net.ring().slice(0, 15)) peer.leave();
    await net.run(60_000);
    for (const peer of net.ring()) expect(peer.group().estimatedMemberCount).toBeLessThan(23);
    await net.run(340_000);
    for (const peer of net.ring()) {
      expect(peer.group().neighborCount).toBe(14);
      expect(peer.group().estimatedMemberCount).toBe(15);
    }
  });

  it(...rfc("G-6"), "is one although some pairs of members cannot meet", async () => {
    const net = new FakeNet("nat");
    net.isBlocked = (a, b) => a.x < 0.3 && b.x < 0.3;
    await joined(net, 60, 10_000);
    await net.run(50_000);
    expect(net.reachable()).toBe(1);
    const ring = net.ring();
    const right = ring.every((peer, i) => {
      const next = ring[(i + 1) % ring.length] as FakePeer;
      return net.isBlocked(peer, next) || peer.hasNeighbour(next);
    });
    expect(right).toBe(true);
  });

  it(...rfc("G-6"), "happens again in the same way by the same seed", async () => {
    const runs: string[] = [];
    for (const seed of ["same", "same", "another"]) {
      const net = new FakeNet(seed);
      await joined(net, 25, 3_000);
      kill(net, 0.3);
      await net.run(20_000);
      const links = net.ring().map((peer) => peer.group().neighbours.map(({ peerId }) => peerId.slice(0, 8)));
      runs.push(JSON.stringify([net.messages, net.bytes, links]));
    }
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
  });

  it(...rfc("G-6"), "divides the circle of addresses among its members", async () => {
    const net = new FakeNet("coverage");
    await joined(net, 20, 5_000);
    await net.run(10_000);
    const ring = net.ring().map((peer) => peer.group());
    ring.forEach((group, i) => {
      const next = ring[(i + 1) % ring.length];
      const after = (BigInt(`0x${group.localCoverageTo}`) + 1n) % (1n << 256n);
      expect(BigInt(`0x${next?.localCoverageFrom}`)).toBe(after);
    });
    const [peer] = net.ring();
    const last = peer?.events.filter(({ type }) => type === "localCoverage").at(-1);
    expect(last).toEqual({
      type: "localCoverage",
      from: peer?.group().localCoverageFrom,
      to: peer?.group().localCoverageTo,
    });
  });
});

describe("somebody who names members", () => {
  it(...rfc("G-6"), "gets neighbours at once, or hints for later", async () => {
    const net = new FakeNet("named");
    net.telling = "nobody";
    const [a, b, c] = [net.member(), net.member(), net.member()];
    expect(a.group().addMemberHint(b.peerId.toUpperCase())).toBe(true);
    expect(a.group().addNeighbor(c.peerId)).toBe(true);
    for (const nobody of ["", "xyz", a.peerId, `${b.peerId}00`]) {
      expect(a.group().addNeighbor(nobody)).toBe(false);
      expect(a.group().addMemberHint(nobody)).toBe(false);
      expect(a.group().addBootstrapPeer(nobody)).toBe(false);
    }
    await net.run(3_000);
    // A hint is as good as a neighbour where there are so few.
    expect([a.hasNeighbour(b), a.hasNeighbour(c), b.hasNeighbour(c)]).toEqual([true, true, true]);
  });

  it(...rfc("G-6"), "has a group of its own in which nobody else is, until a bootstrap peer comes", async () => {
    const net = new FakeNet("alone");
    net.telling = "nobody";
    const [alone, late] = [net.member(), net.peer()];
    expect(alone.group().estimatedMemberCount).toBe(1);
    expect(BigInt(`0x${alone.group().localCoverageFrom}`)).toBe(
      (BigInt(`0x${alone.group().localCoverageTo}`) + 1n) % (1n << 256n),
    );
    alone.group().addBootstrapPeer(late.peerId);
    await net.run(10_000);
    expect(alone.group().neighborCount).toBe(0);
    late.join(SPEC);
    await net.run(60_000);
    expect(alone.group().neighborCount).toBe(1);
  });
});

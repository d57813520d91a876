import fc from "fast-check";
import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { buildGroupspec } from "../../src/group/groupspec.ts";
import type { GroupService } from "../../src/group/neighbour.ts";
import { distanceUp } from "../../src/group/ring-space.ts";
import { encodeControl } from "../../src/group/wire/control.ts";
import { GroupFlow, groupFlowMetadata } from "../../src/group/wire/flows.ts";
import { toHex } from "../../src/proto/bytes.ts";
import { addressOf, FakeNet, type FakePeer, FakeRecvFlow, FakeSendFlow, SPEC } from "./fake-net.ts";
import { RawPeer } from "./raw-peer.ts";

const CIRCLE = 1n << 256n;
/** A service over whose links nothing runs. */
const IDLE: GroupService = {
  kinds: [],
  connected: () => {},
  disconnected: () => {},
  flowOpened: () => false,
  load: () => 0,
  close: () => {},
};
const REPORT = { type: "report", report: { addresses: [], peers: [] } } as const;

function quiet(seed: string): FakeNet {
  const net = new FakeNet(seed);
  net.telling = "nobody";
  return net;
}

/** Peers by hand that have become neighbours of a member. */
async function neighbours(net: FakeNet, member: FakePeer, count: number): Promise<RawPeer[]> {
  const raws = Array.from({ length: count }, () => new RawPeer(net));
  for (const raw of raws) {
    raw.open(member);
    raw.greet();
    await net.run(20);
  }
  await net.run(500);
  return raws;
}

/** A report of peers that do not exist. */
function fakes(net: FakeNet, count: number) {
  const peers = Array.from({ length: count }, () => ({
    peerId: toHex(net.prng.bytes(32)),
    ageSeconds: 0,
    addresses: [{ host: "203.0.113.5", port: 53, origin: 2 } as const],
  }));
  return { type: "report", report: { addresses: [], peers } } as const;
}

describe("a group with a hostile member", () => {
  it(
    ...rfc("G-6"),
    "forgets none of its members for those that the member invents, and tries few of these at a time",
    async () => {
      const net = new FakeNet("invented");
      for (let i = 0; i < 20; i++) net.member();
      await net.run(20_000);
      const victim = net.ring()[0] as FakePeer;
      const [liar] = await neighbours(net, victim, 1);
      let most = 0;
      let tried = victim.group().stats.dials;
      for (let i = 0; i < 60; i++) {
        liar?.send(fakes(net, 200));
        await net.run(1_000);
        most = Math.max(most, victim.group().stats.dials - tried);
        tried = victim.group().stats.dials;
      }
      expect(most).toBeLessThanOrEqual(3);
      // Its word alone counts for nothing, neither here nor with those that might have been told.
      expect(victim.group().estimatedMemberCount).toBeLessThanOrEqual(42);
      const others = net.ring().filter((peer) => peer !== victim);
      expect(Math.max(...others.map((peer) => peer.group().stats.dialsFailed))).toBe(0);
      expect(victim.group().neighborCount).toBeGreaterThanOrEqual(13);
      expect(net.ringCorrectness(1)).toBe(1);
      expect(net.reachable()).toBe(1);
    },
    60_000,
  );

  it(
    ...rfc("G-6"),
    "does not believe where it says that others are who have said so themselves, unless they are missed there",
    async () => {
      const net = quiet("forged");
      const member = net.member();
      const [honest, liar] = (await neighbours(net, member, 2)) as [RawPeer, RawPeer];
      const dials = vi.spyOn(member, "connect");
      const { peerId, address } = honest.peer;
      const forged = { host: "203.0.113.5", port: 53, origin: 2 } as const;
      const tell = () =>
        liar.send({
          type: "report",
          report: { addresses: [], peers: [{ peerId, ageSeconds: 0, addresses: [forged] }] },
        });
      net.isBlocked = () => true;
      honest.session?.close();
      await net.run(500);
      tell();
      await net.run(14_000);
      expect(dials.mock.calls.map(([id, addresses]) => [id, addresses])).toEqual([
        [peerId, [{ ...address, origin: 2 }]],
      ]);
      // It was not there: others may know better.
      tell();
      await net.run(10_000);
      expect(dials.mock.calls.slice(1).map(([id, addresses]) => [id, addresses])).toEqual([[peerId, [forged]]]);
    },
  );

  it(...rfc("G-6"), "answers its flood of reports no more than once a second", async () => {
    const net = quiet("flood");
    const member = net.member();
    const [raw] = await neighbours(net, member, 1);
    const before = raw?.types.length ?? 0;
    for (let i = 0; i < 1_000; i++) raw?.send(REPORT);
    await net.run(1_000);
    expect((raw?.types.length ?? 0) - before).toBeLessThanOrEqual(12);
    expect(member.group().stats.reportsRefused).toBeGreaterThan(980);
    expect(member.group().neighborCount).toBe(1);
  });

  it(
    ...rfc("G-6"),
    "drops it when it goes on with messages that nobody can read, and takes it back no sooner than in 5 minutes",
    async () => {
      const net = quiet("useless");
      const member = net.member();
      const [raw] = (await neighbours(net, member, 1)) as [RawPeer];
      for (let i = 0; i < 5; i++) raw.sendHex("ff");
      raw.sendHex("0a7f");
      raw.sendHex("");
      raw.send(raw.connectMessage());
      await net.run(500);
      expect(member.group().neighborCount).toBe(1);
      raw.sendHex("ff");
      await net.run(500);
      expect(member.group().neighborCount).toBe(0);
      expect(member.group().stats.useless).toBe(9);
      for (const wait of [1_000, 310_000]) {
        await net.run(wait);
        raw.open(member);
        raw.out = undefined;
        raw.greet();
        await net.run(500);
        expect(member.group().neighborCount).toBe(wait > 300_000 ? 1 : 0);
      }
    },
  );

  it(...rfc("G-6"), "survives whatever it writes", () => {
    const net = quiet("noise");
    const member = net.member();
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), fc.boolean(), (messages, isProven) => {
        const raw = new RawPeer(net);
        raw.open(member);
        if (isProven) raw.greet();
        for (const message of messages) {
          // Half of the noise has the type of a message that there is.
          const types = [0x01, 0x02, 0x0a, 0x0c, 0x0e, 0x0f];
          raw.control.write(message);
          raw.control.write(Uint8Array.of(types[message.length % types.length] as number, ...message));
        }
        net.clock.run(1_000);
        raw.session?.close();
        net.clock.run(1_000);
        expect(member.group().neighborCount).toBe(0);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it(...rfc("G-6"), "has room for those next to it in the ring when others have taken all other places", async () => {
    const net = quiet("full");
    const member = net.member();
    const raws = await neighbours(net, member, 64);
    expect(member.group().neighborCount).toBe(64);
    const own = member.group().address;
    const away = (raw: RawPeer): bigint => {
      const up = distanceUp(own, addressOf(raw.peer.peerId));
      return up < CIRCLE - up ? up : CIRCLE - up;
    };
    const late = Array.from({ length: 40 }, () => new RawPeer(net)).sort((a, b) => (away(a) < away(b) ? -1 : 1));
    const [near, far] = [late[0], late.at(-1)] as [RawPeer, RawPeer];
    for (const raw of [far, near]) {
      raw.open(member);
      raw.greet();
      await net.run(500);
    }
    expect([far.rejections, near.rejections]).toEqual([[0], []]);
    expect(member.group().neighborCount).toBe(65);
    for (const raw of late) {
      raw.open(member);
      raw.out = undefined;
      raw.greet();
      await net.run(50);
    }
    expect(member.group().neighborCount).toBeLessThanOrEqual(72);
    expect(member.group().stats.refused).toBeGreaterThanOrEqual(33);
    expect(raws.every(({ rejections }) => rejections.length === 0)).toBe(true);
  });

  it(...rfc("G-6"), "drops one that takes reports for 5 minutes and gives none", async () => {
    const net = quiet("never");
    const member = net.member();
    const [silent, ...good] = (await neighbours(net, member, 16)) as [RawPeer, ...RawPeer[]];
    for (let i = 0; i < 31; i++) {
      for (const raw of good) raw.send(REPORT);
      await net.run(10_000);
    }
    expect(member.group().neighborCount).toBe(15);
    expect(member.group().stats.expired).toBe(1);
    expect([silent.ended, ...good.map(({ ended }) => ended)]).toEqual([1, ...good.map(() => 0)]);
    // It was asked much more often than chance would have it.
    expect(silent.types.filter((type) => type === "report").length).toBeGreaterThan(12);
  });

  it(...rfc("G-6"), "writes no reports to one that acknowledges nothing", async () => {
    const net = quiet("stuck");
    const member = net.member();
    const [raw] = (await neighbours(net, member, 1)) as [RawPeer];
    const [flow] = raw.session?.twin.flows ?? [];
    if (flow !== undefined) flow.bufferedBytes = 100_000;
    const before = raw.types.length;
    await net.run(30_000);
    expect(raw.types.length).toBe(before);
    expect(member.group().stats.reportsSkipped).toBeGreaterThan(1);
  });
});

describe("a member with more neighbours than it wants", () => {
  it(...rfc("G-6"), "asks those that it does not want to end the session, one at a time and once in 90 s", async () => {
    const net = quiet("too many");
    const member = net.member();
    const raws = await neighbours(net, member, 30);
    const asked = () => raws.filter(({ types }) => types.includes("askClose"));
    const obedient = new Set<RawPeer>();
    let before = 0;
    for (let i = 0; i < 100; i++) {
      await net.run(500);
      expect(asked().length - before).toBeLessThanOrEqual(1);
      before = asked().length;
      for (const raw of asked()) {
        if (obedient.size === 8 || obedient.has(raw)) continue;
        obedient.add(raw);
        raw.out?.close();
      }
    }
    // About 30 members make a list of 17.
    expect(before).toBeGreaterThanOrEqual(12);
    expect(before).toBeLessThanOrEqual(13 + 5);
    // Those that do it are in the group as before.
    expect(member.group().neighborCount).toBe(22);
    expect(member.group().estimatedMemberCount).toBeGreaterThanOrEqual(31);
    await net.run(30_000);
    for (const { types } of raws) expect(types.filter((type) => type === "askClose").length).toBeLessThanOrEqual(1);
  });

  it(
    ...rfc("G-6"),
    "asks nobody over whose link something runs, unless it has little room left for others",
    async () => {
      const net = quiet("load");
      const busy = new Set<string>();
      const service: GroupService = { ...IDLE, load: ({ peerId }) => (busy.has(peerId) ? 1 : 0) };
      const member = net.member(SPEC, [service]);
      const few = await neighbours(net, member, 30);
      for (const raw of few.slice(0, 20)) busy.add(raw.peer.peerId);
      await net.run(40_000);
      const asked = (raws: readonly RawPeer[]) => raws.filter(({ types }) => types.includes("askClose"));
      expect(asked(few.slice(0, 20))).toEqual([]);
      expect(asked(few).length).toBeGreaterThan(0);
      const more = await neighbours(net, member, 30);
      for (const raw of more) busy.add(raw.peer.peerId);
      for (let i = 0; i < 120; i++) {
        await net.run(500);
        for (const raw of asked(more)) raw.out?.close();
      }
      expect(member.group().neighborCount).toBeGreaterThan(46);
      expect(member.group().neighborCount).toBeLessThanOrEqual(48);
    },
  );

  it(...rfc("G-6"), "ends a session on being asked unless it wants it, or has no more than it wants", async () => {
    const net = quiet("asked");
    const member = net.member();
    const few = await neighbours(net, member, 6);
    for (const raw of few) raw.send({ type: "askClose" });
    await net.run(500);
    expect(member.group().neighborCount).toBe(6);
    const many = await neighbours(net, member, 30);
    for (const raw of [...few, ...many]) raw.send({ type: "askClose" });
    await net.run(500);
    const left = member.group().neighborCount;
    expect(left).toBeGreaterThanOrEqual(17);
    expect(left).toBeLessThan(22);
    expect(member.group().stats.closesGranted).toBe(36 - left);
    // Those next to it in the ring are all there.
    const own = member.group().address;
    const up = (raw: RawPeer): bigint => distanceUp(own, addressOf(raw.peer.peerId));
    const ring = [...few, ...many].sort((a, b) => (up(a) < up(b) ? -1 : 1));
    for (const raw of [...ring.slice(0, 3), ...ring.slice(-3)]) expect(raw.ended).toBe(0);
  });

  it(...rfc("G-6"), "keeps those that it does not want while it has fewer than it wants", async () => {
    const net = quiet("too few");
    const member = net.member();
    const raws = await neighbours(net, member, 10);
    net.isBlocked = () => true;
    for (let i = 0; i < 100; i++) member.group().addMemberHint(toHex(net.prng.bytes(32)));
    for (const raw of raws) raw.send({ type: "askClose" });
    await net.run(500);
    expect(member.group().neighborCount).toBe(10);
  });
});

describe("a group without peers", () => {
  it(...rfc("G-9"), "has no neighbours, whoever asks", async () => {
    const net = quiet("multicast alone");
    const spec = buildGroupspec({ version: 2, name: "lan", peerToPeerDisabled: true });
    const [member, raw] = [net.member(spec), new RawPeer(net)];
    raw.open(member);
    raw.send(raw.connectMessage({ spec }));
    member.group(spec).addNeighbor(raw.peer.peerId);
    await net.run(3_000);
    expect(member.group(spec).neighborCount).toBe(0);
    expect(raw.rejections).toEqual([0]);
    expect(raw.types).toEqual([]);
  });
});

describe("the door of groups", () => {
  it(...rfc("G-6"), "holds few flows that name no group, and none for longer than 15 s", async () => {
    const net = quiet("door");
    const member = net.member();
    const raw = new RawPeer(net);
    const session = raw.open(member);
    const flows = Array.from({ length: 10 }, () => {
      const sender = new FakeSendFlow(session, groupFlowMetadata(GroupFlow.control), undefined);
      session.flows.add(sender);
      const flow = new FakeRecvFlow(sender, session.twin);
      expect(member.door.flowOpened(session.twin, flow)).toBe(true);
      return { sender, flow };
    });
    expect(member.door.stats.refused).toBe(2);
    await net.run(16_000);
    expect(member.door.stats.strangers).toBe(8);
    expect(flows.some(({ sender }) => sender.isOpen)).toBe(false);
    // What comes after that is nobody's.
    flows[0]?.flow.push(encodeControl(raw.connectMessage()));
    expect(member.group().stats.wrongProofs).toBe(0);
  });

  it(...rfc("G-6"), "leaves flows to others that are of no group", () => {
    const net = quiet("others");
    const member = net.member();
    const session = new RawPeer(net).open(member);
    const sender = new FakeSendFlow(session, Uint8Array.of(0x54, 0x43, 4, 0), undefined);
    expect(member.door.flowOpened(session.twin, new FakeRecvFlow(sender, session.twin))).toBe(false);
  });

  it(...rfc("G-6"), "lets nobody into a group that was left", async () => {
    const net = quiet("left");
    const member = net.member();
    const group = member.group();
    member.leave(SPEC);
    const raw = new RawPeer(net);
    raw.open(member);
    raw.greet();
    await net.run(500);
    expect(raw.rejections).toEqual([0]);
    expect(group.neighborCount).toBe(0);
    group.close();
  });
});

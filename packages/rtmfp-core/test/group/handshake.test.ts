import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { buildGroupspec } from "../../src/group/groupspec.ts";
import type { Neighbour } from "../../src/group/neighbour.ts";
import { GroupFlow, groupFlowMetadata } from "../../src/group/wire/flows.ts";
import { FakeNet, type FakeRecvFlow, openPair, SPEC } from "./fake-net.ts";
import { RawPeer } from "./raw-peer.ts";

const OTHER = buildGroupspec({ version: 2, name: "other", serverChannelEnabled: true });
const REPORT = { type: "report", report: { addresses: [], peers: [] } } as const;

/** A net where the server tells nobody of anybody. */
function quiet(seed: string): FakeNet {
  const net = new FakeNet(seed);
  net.telling = "nobody";
  return net;
}

/** A service that keeps what it is told. */
function recorder(kinds: readonly number[] = [GroupFlow.multicastControl]) {
  const told: string[] = [];
  const flows: FakeRecvFlow[] = [];
  let last: Neighbour | undefined;
  return {
    told,
    flows,
    kinds,
    get last(): Neighbour {
      return last as Neighbour;
    },
    connected: (neighbour: Neighbour) => {
      last = neighbour;
      told.push(`connected ${neighbour.peerId.slice(0, 4)}`);
    },
    disconnected: (neighbour: Neighbour) => void told.push(`disconnected ${neighbour.peerId.slice(0, 4)}`),
    flowOpened: (_neighbour: Neighbour, kind: number, flow: unknown) => {
      told.push(`flow ${kind.toString(16)}`);
      flows.push(flow as FakeRecvFlow);
      (flow as FakeRecvFlow).accept();
      return true;
    },
    load: () => 0,
    close: () => void told.push("closed"),
  };
}

describe("two members", () => {
  it(...rfc("G-6", "C-8"), "prove that they are, begin, report, and then are neighbours", async () => {
    const net = quiet("prove");
    const raw = new RawPeer(net);
    const service = recorder();
    const member = net.member(SPEC, [service]);
    expect(member.group().addNeighbor(raw.peer.peerId)).toBe(true);
    await net.run(500);
    // Whoever opens the session speaks first.
    expect(raw.messages).toEqual([
      { ...raw.connectMessage({ nonce: raw.session?.nearNonce }), target: raw.peer.peerId },
      { type: "prelude" },
      { type: "begin", nearest: false },
    ]);
    expect(member.group().neighborCount).toBe(0);
    raw.send(raw.connectMessage(), { type: "prelude" }, { type: "begin", nearest: false });
    await net.run(500);
    expect(raw.types.slice(3)).toEqual(["report"]);
    expect(raw.messages[3]).toEqual({
      type: "report",
      report: {
        you: { ...raw.peer.address, origin: 2 },
        addresses: [{ host: "192.0.2.1", port: 1935, origin: 3 }],
        peers: [],
      },
    });
    expect(service.told).toEqual([]);
    raw.send(REPORT);
    await net.run(500);
    expect(service.told).toEqual([`connected ${raw.peer.peerId.slice(0, 4)}`]);
    expect(service.last).toMatchObject({ peerId: raw.peer.peerId, session: { peerId: raw.peer.peerId } });
    expect(member.events[0]).toMatchObject({ type: "neighbourConnected", peerId: raw.peer.peerId });
    expect(member.group().neighborCount).toBe(1);
  });

  it(
    ...rfc("G-6"),
    "do so as well when the other one opens the session, and each report is answered once",
    async () => {
      const net = quiet("answer");
      const raw = new RawPeer(net);
      const member = net.member();
      raw.open(member);
      raw.greet();
      await net.run(500);
      expect(raw.types).toEqual(["connect", "prelude", "begin", "report"]);
      expect(member.group().neighborCount).toBe(1);
      raw.send(REPORT);
      await net.run(500);
      expect(raw.types.slice(4)).toEqual(["report"]);
      // One that the member begins has an answer, which has none.
      await net.run(13_000);
      const begun = raw.types.length;
      expect(begun).toBeGreaterThan(5);
      raw.send(REPORT);
      await net.run(500);
      expect(raw.types.length).toBe(begun);
    },
  );

  it(
    ...rfc("G-6"),
    "wait a second for the word of whoever opened the session, which it may have been for something else",
    async () => {
      const net = quiet("first word");
      const raw = new RawPeer(net);
      const member = net.member();
      raw.open(member);
      member.group().addNeighbor(raw.peer.peerId);
      await net.run(900);
      expect(raw.types).toEqual([]);
      await net.run(500);
      expect(raw.types).toEqual(["connect", "prelude", "begin"]);
      raw.greet();
      await net.run(500);
      expect(member.group().neighborCount).toBe(1);
      expect(member.sessions.size).toBe(1);
    },
  );

  it(...rfc("G-6"), "tell others where they are by what others see", async () => {
    const net = quiet("addresses");
    const [a, b, liar] = [new RawPeer(net), new RawPeer(net), new RawPeer(net)];
    const member = net.member();
    const truth = { host: "198.51.100.7", port: 4000, origin: 2 } as const;
    for (const [raw, you] of [
      [a, truth],
      [b, truth],
      [liar, { host: "203.0.113.9", port: 53, origin: 2 } as const],
    ] as const) {
      raw.open(member);
      raw.greet({ you, addresses: [], peers: [] });
    }
    await net.run(500);
    a.send(REPORT);
    await net.run(500);
    expect(a.messages.at(-1)).toMatchObject({
      report: { addresses: [{ host: "192.0.2.1", port: 1935, origin: 3 }, truth] },
    });
  });

  it(...rfc("G-6"), "learn of others by reports, but not of themselves, nor old news", async () => {
    const net = quiet("reports");
    const [raw, known] = [new RawPeer(net), new RawPeer(net)];
    const member = net.member();
    raw.open(member);
    const peer = (peerId: string, ageSeconds: number) => ({ peerId, ageSeconds, addresses: [] });
    const old = new RawPeer(net);
    raw.greet({
      addresses: [],
      peers: [
        peer(member.peerId, 0),
        peer(raw.peer.peerId, 0),
        peer(old.peer.peerId, 300),
        peer(known.peer.peerId, 299),
      ],
    });
    await net.run(1_000);
    expect(member.group().stats.dials).toBe(1);
    expect([known.types[0], old.types[0]]).toEqual(["connect", undefined]);
  });

  it(...rfc("G-6"), "read a prelude with a body, and a beginning that asks for messages to the nearest", async () => {
    const net = quiet("prelude");
    const raw = new RawPeer(net);
    const member = net.member();
    raw.open(member);
    raw.send(raw.connectMessage());
    raw.sendHex("020200036e6f77");
    raw.send({ type: "begin", nearest: true }, REPORT);
    await net.run(500);
    expect(member.group().neighborCount).toBe(1);
    expect(member.group().stats.useless).toBe(0);
  });

  it(...rfc("G-6"), "do not become neighbours by a proof for another group, nonce or receiver", async () => {
    const net = quiet("wrong");
    const member = net.member();
    const wrongs: ((raw: RawPeer) => Parameters<RawPeer["connectMessage"]>[0])[] = [
      (raw) => ({ nonce: raw.session?.nearNonce }),
      (raw) => ({ target: raw.peer.peerId }),
    ];
    for (const [i, wrong] of wrongs.entries()) {
      const raw = new RawPeer(net);
      raw.open(member);
      raw.send(raw.connectMessage(wrong(raw)), { type: "prelude" }, { type: "begin", nearest: false }, REPORT);
      await net.run(500);
      expect(raw.rejections).toEqual([0]);
      expect(raw.types).toEqual([]);
      expect(member.group().stats.wrongProofs).toBe(i + 1);
    }
    // The identity alone, which servers know, is no proof.
    const spy = new RawPeer(net);
    spy.open(member);
    spy.send({ ...(spy.connectMessage() as object), proof: new Uint8Array(32) } as never);
    const stranger = new RawPeer(net);
    stranger.open(member);
    stranger.send(stranger.connectMessage({ spec: OTHER }));
    await net.run(500);
    expect([spy.rejections, stranger.rejections]).toEqual([[0], [0]]);
    expect(member.group().stats.wrongProofs).toBe(3);
    expect(member.door.stats.strangers).toBe(1);
    expect(member.group().neighborCount).toBe(0);
  });

  it(...rfc("G-6"), "give up on one that proves nothing, and on a flow that names no group", async () => {
    const net = quiet("silence");
    const [silent, half] = [new RawPeer(net), new RawPeer(net)];
    const member = net.member();
    member.group().addNeighbor(silent.peer.peerId);
    half.open(member);
    half.send(half.connectMessage());
    const nameless = new RawPeer(net);
    nameless.open(member);
    nameless.sendHex("");
    await net.run(500);
    expect(member.door.stats.strangers).toBe(1);
    expect([silent.types.length, half.types.length]).toEqual([3, 3]);
    await net.run(17_000);
    expect(member.group().stats.unproven).toBe(2);
    expect([silent.ended, half.ended]).toEqual([1, 1]);
    expect([...member.sessions].map(({ peerId }) => peerId)).toEqual([nameless.peer.peerId]);
  });

  it(...rfc("G-6"), "are in several groups over one session, and leave one without the other", async () => {
    const net = new FakeNet("several");
    const [a, b] = [net.peer(), net.peer()];
    for (const spec of [SPEC, OTHER]) for (const peer of [a, b]) peer.join(spec);
    await net.run(2_000);
    expect([a, b].map((peer) => [peer.hasNeighbour(peer === a ? b : a, SPEC), peer.sessions.size])).toEqual([
      [true, 1],
      [true, 1],
    ]);
    expect(a.hasNeighbour(b, OTHER)).toBe(true);
    a.leave(SPEC);
    await net.run(2_000);
    expect(b.group(SPEC).neighborCount).toBe(0);
    expect(a.hasNeighbour(b, OTHER)).toBe(true);
    b.leave(OTHER);
    await net.run(2_000);
    expect([a, b].map((peer) => peer.sessions.size)).toEqual([0, 0]);
  });

  it(...rfc("G-6"), "that open two sessions at a time keep the same one", async () => {
    for (const seed of ["glare 1", "glare 2", "glare 3", "glare 4"]) {
      const net = quiet(seed);
      const [a, b] = [net.member(), net.member()];
      // Each end has a session that it opened, and speaks in it before the other's word comes.
      a.connect = () => Promise.resolve(openPair(a, b));
      b.connect = () => Promise.resolve(openPair(b, a));
      a.group().addNeighbor(b.peerId);
      b.group().addNeighbor(a.peerId);
      await net.run(3_000);
      expect([a.hasNeighbour(b), b.hasNeighbour(a)]).toEqual([true, true]);
      const [near, far] = [a, b].map((peer) => peer.group().neighbours[0]?.session);
      expect(near?.nearNonce).toEqual(far?.farNonce);
      expect(a.group().stats.glares + b.group().stats.glares).toBeGreaterThan(0);
    }
  });

  it(
    ...rfc("G-6"),
    "may join again over the same session, whose new flow comes before the end of the old",
    async () => {
      const net = quiet("rejoin");
      const raw = new RawPeer(net);
      const service = recorder();
      const member = net.member(SPEC, [service]);
      raw.open(member);
      raw.greet();
      await net.run(2_000);
      raw.out = undefined;
      raw.greet();
      await net.run(500);
      const who = raw.peer.peerId.slice(0, 4);
      expect(service.told).toEqual([`connected ${who}`, `disconnected ${who}`, `connected ${who}`]);
      expect(member.sessions.size).toBe(1);
      // Not as often as it likes.
      raw.out = undefined;
      raw.greet();
      await net.run(500);
      expect(member.group().stats.refused).toBe(1);
      expect(member.group().neighborCount).toBe(1);
    },
  );

  it(...rfc("G-6"), "end with the flow, and with the session", async () => {
    const net = quiet("end");
    const [polite, lost] = [new RawPeer(net), new RawPeer(net)];
    const service = recorder();
    const member = net.member(SPEC, [service]);
    for (const raw of [polite, lost]) {
      raw.open(member);
      raw.greet();
    }
    await net.run(500);
    expect(member.group().neighborCount).toBe(2);
    polite.out?.close();
    lost.session?.end();
    lost.session?.twin.end();
    await net.run(500);
    expect(member.group().neighborCount).toBe(0);
    expect(service.told.slice(2).sort()).toEqual(
      [polite, lost].map((raw) => `disconnected ${raw.peer.peerId.slice(0, 4)}`).sort(),
    );
    expect(member.events.filter(({ type }) => type === "neighbourDisconnected").length).toBe(2);
    expect(polite.ended).toBe(1);
  });
});

describe("the flows of services", () => {
  it(...rfc("G-6", "G-3"), "reach the service that takes them, also when they overtake the reports", async () => {
    const net = quiet("overtaking");
    const raw = new RawPeer(net);
    const service = recorder();
    const member = net.member(SPEC, [service]);
    raw.open(member);
    raw.send(raw.connectMessage());
    await net.run(500);
    const answers = raw.flows[0]?.flow as FakeRecvFlow;
    const flow = raw.session?.openFlow(groupFlowMetadata(GroupFlow.multicastControl), { answers });
    flow?.write(Uint8Array.of(1, 2, 3));
    await net.run(500);
    expect(service.told).toEqual([]);
    raw.send({ type: "begin", nearest: false }, REPORT);
    await net.run(500);
    expect(service.told).toEqual([`connected ${raw.peer.peerId.slice(0, 4)}`, "flow 11"]);
    const read: Uint8Array[] = [];
    const [taken] = service.flows;
    if (taken !== undefined) taken.onMessage = (data) => read.push(data);
    expect(read).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it(...rfc("G-6"), "are rejected where no service takes them, and where they answer nothing", async () => {
    const net = quiet("no service");
    const raw = new RawPeer(net);
    const member = net.member(SPEC, [recorder()]);
    raw.open(member);
    raw.greet();
    await net.run(500);
    const codes: number[] = [];
    for (const [kind, answers] of [
      [GroupFlow.messages, raw.flows[0]?.flow],
      [GroupFlow.multicastControl, undefined],
    ] as const) {
      const flow = raw.session?.openFlow(groupFlowMetadata(kind), answers === undefined ? {} : { answers });
      if (flow !== undefined) flow.onException = (code) => codes.push(code);
      flow?.write(Uint8Array.of(0));
    }
    await net.run(500);
    expect(codes).toEqual([0, 0]);
    expect(member.group().stats.flowsRefused + member.door.stats.refused).toBe(2);
    expect(member.group().neighborCount).toBe(1);
  });

  it(...rfc("G-6"), "find the neighbour of a flow that answers one of a service's own", async () => {
    const net = quiet("context");
    const raw = new RawPeer(net);
    const service = recorder([GroupFlow.multicastControl, GroupFlow.multicastData]);
    const member = net.member(SPEC, [service]);
    raw.open(member);
    raw.greet();
    await net.run(500);
    const own = service.last.session.openFlow(groupFlowMetadata(GroupFlow.multicastControl), {
      answers: service.last.control,
    });
    own.context = { neighbour: service.last };
    own.write(Uint8Array.of(0x23, 0));
    await net.run(500);
    const answers = raw.flows.find(({ kind }) => kind === GroupFlow.multicastControl)?.flow as FakeRecvFlow;
    expect(answers.answers).toBe(raw.out);
    raw.session?.openFlow(groupFlowMetadata(GroupFlow.multicastData), { answers }).write(Uint8Array.of(0));
    await net.run(500);
    expect(service.told.at(-1)).toBe("flow 12");
  });

  it(...rfc("G-6"), "end when the member leaves, and its services are told", async () => {
    const net = quiet("leave");
    const raw = new RawPeer(net);
    const service = recorder();
    const member = net.member(SPEC, [service]);
    raw.open(member);
    raw.greet();
    await net.run(500);
    member.leave(SPEC);
    expect(service.told.slice(1)).toEqual([`disconnected ${raw.peer.peerId.slice(0, 4)}`, "closed"]);
    await net.run(500);
    expect(raw.ended).toBe(1);
    expect(raw.rejections).toEqual([0]);
    expect(member.sessions.size).toBe(0);
  });
});

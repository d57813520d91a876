import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { CLIENT_IDENTITY } from "../../src/crypto/index.ts";
import type { PeerEndpoint, Session as PeerSession } from "../../src/index.ts";
import { type Chunk, ChunkType, type IHelloChunk } from "../../src/proto/chunk/types.ts";
import type { Session } from "../../src/proto/session.ts";
import { type LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { fetchCookie, iiKeying, Scripted } from "./scripted.ts";
import { endpointOn } from "./support.ts";

/** Two nodes, of which `a` prevails as initiator. */
function pair(seed: number, link: Partial<LinkOptions> = {}): { world: SimWorld; a: RawNode; b: RawNode } {
  const world = new SimWorld(seed);
  const [a, b] = ["a", "b"].map((name) => rawNode(world.host(name, { link }), name, { keepaliveMs: 0 }));
  return { world, a: a as RawNode, b: b as RawNode };
}

function open(from: RawNode, name: string, to: RawNode): Session {
  return from.endpoint.open(from.driver.now(), nameOf(name), { candidates: [{ address: to.address, via: 0 }] });
}

/** The one session between the two, seen from both ends, which nothing else was opened or is left beside. */
function onlyOne(a: RawNode, b: RawNode): { near: Session; far: Session } {
  const [near, far] = [a.open()[0], b.open()[0]];
  expect([a.open().length, b.open().length]).toEqual([1, 1]);
  expect([a.endpoint.sessions.size, b.endpoint.sessions.size]).toEqual([1, 1]);
  expect(near?.farId).toBe(far?.nearId);
  expect(far?.farId).toBe(near?.nearId);
  return { near: near as Session, far: far as Session };
}

describe("two ends that open to each other", () => {
  it(
    ...rfc(
      "R7016-3.5.1.3-01",
      "R7016-3.5.1.3-02",
      "R7016-3.5.1.3-03",
      "R7016-3.5.1.3-04",
      "R7016-3.2-07",
      "R7016-3.5.1.1.2-11",
    ),
    "at the same time get one session, whose initiator is the end that prevails",
    () => {
      const { world, a, b } = pair(1);
      const [fromA, fromB] = [open(a, "b", b), open(b, "a", a)];
      world.run(5_000);
      const { near, far } = onlyOne(a, b);
      expect(near).toBe(fromA);
      expect([near.role, far.role]).toEqual(["initiator", "responder"]);
      expect(fromB.state).toBe("S_OPEN_FAILED");
      expect(b.told("superseded")).toMatchObject([{ session: fromB, by: far }]);
      expect(a.told("incoming")).toEqual([]);
    },
  );

  for (const [state, before] of [
    ["S_IHELLO_SENT", []],
    ["S_KEYING_SENT", ["iiKeying"]],
  ] as const) {
    it(
      ...rfc("R7016-3.5.1.3-01", "R7016-3.5.1.3-02", "R7016-3.5.1.3-03", "R7016-3.5.1.3-04", "R7016-3.5.1.1.2-11"),
      `keep the prevailing end's session in ${state}, and give up the other's, by the IIKeying that comes`,
      () => {
        for (const name of ["a", "c"]) {
          const world = new SimWorld(1);
          const link = { latencyMs: 0 };
          const node = rawNode(world.host(name, { link }), name, { keepaliveMs: 0 });
          const far = new Scripted(world.host("b", { link }), "b", node.address);
          const own = node.endpoint.open(0, nameOf("b"), { candidates: [{ address: far.address, via: 0 }] });
          world.run(1);
          const hello = far.take()[0]?.chunks[0] as IHelloChunk;
          const rHello: Chunk = {
            type: ChunkType.rHello,
            tagEcho: hello.tag,
            cookie: hello.tag,
            certificate: far.name,
          };
          if (state === "S_KEYING_SENT") far.sendStartup(0, rHello);
          world.run(1);
          expect(far.heard()).toEqual(before);
          expect(own.state).toBe(state);
          far.sendStartup(0, iiKeying(far, fetchCookie(world, node, far)));
          world.run(1);
          if (name === "a") {
            expect(far.heard()).toEqual([]);
            expect([own.state, node.endpoint.sessions.size]).toEqual([state, 1]);
          } else {
            expect(far.heard()).toEqual(["riKeying"]);
            expect([own.state, node.open().map(({ role }) => role)]).toEqual(["S_OPEN_FAILED", ["responder"]]);
            expect(node.endpoint.sessions.size).toBe(1);
          }
        }
      },
    );
  }

  it(
    ...rfc("R7016-3.5.1.3-02", "AMB-18", "AMB-19"),
    "at any distance in time, in either state of the other's opening, get one session",
    () => {
      for (const [first, second] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        for (let ms = 0; ms <= 70; ms += 2.5) {
          const { world, ...nodes } = pair(1);
          open(nodes[first], second, nodes[second]);
          world.after(ms, () => void open(nodes[second], first, nodes[first]));
          world.run(20_000);
          onlyOne(nodes.a, nodes.b);
        }
      }
    },
  );

  it(...rfc("R7016-3.5.1.3-02"), "over links that lose and delay, get one session", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { world, a, b } = pair(seed, { loss: 0.2, jitterMs: 40, reorder: 0.2, duplicate: 0.1 });
      open(a, "b", b);
      world.after(seed * 3, () => void open(b, "a", a));
      world.run(90_000);
      onlyOne(a, b);
    }
  });

  it("and the prevailing end's own way is closed, meet by the way of the other", () => {
    const { world, a, b } = pair(1);
    const nowhere = { host: "203.0.113.9", port: 9 };
    a.endpoint.open(0, nameOf("b"), { candidates: [{ address: nowhere, via: 0 }] });
    open(b, "a", a);
    world.run(20_000);
    onlyOne(a, b);
  });

  it(...rfc("AMB-19"), "an unrelated opening is left alone", () => {
    const { world, a, b } = pair(1);
    const c = rawNode(world.host("c"), "c", { keepaliveMs: 0 });
    const other = open(b, "c", a);
    open(a, "b", b);
    world.run(2_000);
    expect(other.state).toBe("S_IHELLO_SENT");
    onlyOneOf(a, b);
    b.endpoint.addCandidates(b.driver.now(), other, [{ address: c.address, via: 0 }]);
    world.run(2_000);
    expect(other.state).toBe("S_OPEN");
  });
});

/** As {@link onlyOne}, where further openings are under way. */
function onlyOneOf(a: RawNode, b: RawNode): void {
  expect(a.open().map(({ farId }) => farId)).toEqual(b.open().map(({ nearId }) => nearId));
}

describe("public endpoints that connect to each other", () => {
  /** Connects both ways, the second `ms` later, with keys that take `jobMs`. */
  async function meet(seed: number, ms: number, jobMs: number): Promise<void> {
    const world = new SimWorld(seed);
    const make = (name: string): PeerEndpoint =>
      endpointOn(world.host(name, { addresses: [name === "a" ? "192.0.2.1" : "192.0.2.2"] }), CLIENT_IDENTITY, {
        port: 5_000,
        crypto: { groups: [31] },
        ...(jobMs === 0
          ? {}
          : { runJob: (job, done) => void world.after(jobMs, () => done(profileOf(name).runJob(job))) }),
      });
    const ends: Record<string, PeerEndpoint> = {};
    const profileOf = (name: string): PeerEndpoint["profile"] => (ends[name] as PeerEndpoint).profile;
    for (const name of ["a", "b"]) ends[name] = make(name);
    const [a, b] = [ends["a"] as PeerEndpoint, ends["b"] as PeerEndpoint];
    const incoming: PeerSession[] = [];
    a.onSession = (session) => incoming.push(session);
    b.onSession = (session) => incoming.push(session);
    const toB = a.connect({ host: "192.0.2.2", port: 5_000 }, { peerId: b.peerId });
    await world.runAsync(ms);
    const toA = b.connect({ host: "192.0.2.1", port: 5_000 }, { peerId: a.peerId });
    const [near, far] = await world.settle(Promise.all([toB, toA]), 60_000);
    expect(near.inner.farId).toBe(far.inner.nearId);
    expect(near.isOpen && far.isOpen).toBe(true);
    expect([a.sessions.size, b.sessions.size, incoming.length]).toEqual([1, 1, 1]);
    await world.runAsync(10_000);
    expect(near.isOpen && far.isOpen).toBe(true);
    expect([a.sessions.size, b.sessions.size]).toEqual([1, 1]);
  }

  for (const jobMs of [0, 7, 40]) {
    it(...rfc("R7016-3.5.1.3-02"), `share one session when keys take ${jobMs} ms`, async () => {
      for (let ms = 0; ms <= 120; ms += 8) await meet(ms + 1, ms, jobMs);
    });
  }

  it(...rfc("R7016-3.5.1.1.1-11"), "twice to one peer get the same session, which is open", async () => {
    const world = new SimWorld(3);
    const a = endpointOn(world.host("a"), CLIENT_IDENTITY);
    const b = endpointOn(world.host("b", { addresses: ["192.0.2.2"] }), CLIENT_IDENTITY, { port: 5_000 });
    const to = { host: "192.0.2.2", port: 5_000 };
    const both = [a.connect(to, { peerId: b.peerId }), a.connect(to, { peerId: b.peerId })];
    const [one, two] = await world.settle(Promise.all(both), 10_000);
    expect(one).toBe(two);
    expect(one?.isOpen).toBe(true);
    expect(a.sessions.size).toBe(1);
  });

  it("twice, fail twice when the one that was to serve both fails", async () => {
    const world = new SimWorld(3);
    const a = endpointOn(world.host("a"), CLIENT_IDENTITY);
    const b = endpointOn(world.host("b", { addresses: ["192.0.2.2"] }), CLIENT_IDENTITY, { port: 5_000 });
    const to = { host: "192.0.2.2", port: 5_000 };
    let packets = 0;
    world.filter(({ sender }) => (sender === "b" && ++packets > 2 ? "drop" : undefined));
    const outcome = async (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => "open",
        (error: { code: string }) => error.code,
      );
    const both = [
      outcome(a.connect(to, { peerId: b.peerId, timeoutMs: 20_000 })),
      outcome(a.connect(to, { peerId: b.peerId })),
    ];
    expect(await world.settle(Promise.all(both), 200_000)).toEqual(["CONNECT_TIMEOUT", "CONNECT_TIMEOUT"]);
    expect(a.sessions.size).toBe(0);
  });

  it("twice, and one gives up, leave the other its session", async () => {
    const world = new SimWorld(3);
    const a = endpointOn(world.host("a"), CLIENT_IDENTITY);
    const b = endpointOn(world.host("b", { addresses: ["192.0.2.2"] }), CLIENT_IDENTITY, { port: 5_000 });
    const to = { host: "192.0.2.2", port: 5_000 };
    const aborts = [new AbortController(), new AbortController()] as const;
    const outcomes: string[] = [];
    const attempts = aborts.map(async ({ signal }) => {
      await a.connect(to, { peerId: b.peerId, signal }).then(
        () => outcomes.push("open"),
        (error: { code: string }) => outcomes.push(error.code),
      );
    });
    world.after(25, () => aborts[0].abort());
    await world.settle(Promise.all(attempts), 200_000);
    expect(outcomes.sort()).toEqual(["CONNECT_ABORTED", "open"]);
    expect(a.sessions.size).toBe(1);
  });
});

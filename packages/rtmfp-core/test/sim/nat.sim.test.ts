import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { CLIENT_IDENTITY, SERVER_IDENTITY } from "../../src/crypto/index.ts";
import type { Address, PeerEndpoint, Session } from "../../src/index.ts";
import { type NatKind, type SimHost, SimWorld } from "../../src/testing/index.ts";
import { endpointOn } from "./support.ts";

const KINDS: readonly NatKind[] = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"];

/** An introducer as a server is: it redirects to what it knows of the wanted peer, and forwards the hello to it. */
function introducer(host: SimHost, known: (session: Session) => readonly Address[]): PeerEndpoint {
  const server = endpointOn(host, SERVER_IDENTITY, { port: 1935, crypto: { groups: [31] } });
  server.onIntroduction = (introduction) => {
    const wanted = [...server.sessions].find(
      (session) => session.inner.farCertificate?.selectedBy(introduction.epd) === true,
    );
    if (wanted === undefined) {
      introduction.ignore();
      return;
    }
    introduction.redirect(known(wanted));
    introduction.forward(wanted);
  };
  return server;
}

interface Client {
  readonly endpoint: PeerEndpoint;
  readonly session: Session;
}

/** A client with a session to the server, which may introduce others to it. */
async function client(world: SimWorld, host: SimHost, server: Address): Promise<Client> {
  const endpoint = endpointOn(host, CLIENT_IDENTITY, { crypto: { groups: [31] } });
  const session = await world.settle(endpoint.connect(server), 10_000);
  session.introductions = "rhello";
  return { endpoint, session };
}

/** Connects two clients by the server, and sends a message over. Gives what came, or the code of the failure. */
async function meet(world: SimWorld, from: Client, to: Client, timeoutMs: number): Promise<string> {
  let got = "";
  to.endpoint.onFlow = (flow) => {
    flow.onMessage = (message) => {
      got = new TextDecoder().decode(message);
    };
  };
  const target = { peerId: to.endpoint.peerId, via: [from.session] };
  const start = world.now;
  try {
    const session = await world.settle(from.endpoint.connect(target, { timeoutMs }), timeoutMs + 1_000);
    const flow = session.openFlow("direct");
    flow.write(new TextEncoder().encode("hello"));
    await world.settle(flow.close(), 10_000);
    expect(session.address.host).not.toBe(from.session.address.host);
    return got;
  } catch (error) {
    expect(world.now - start).toBeLessThanOrEqual(timeoutMs + 10);
    return (error as { code: string }).code;
  }
}

/** Endpoint-dependent mapping on one side needs a filter on the other that does not look at ports. */
function canMeet(a: NatKind, b: NatKind): boolean {
  const picky = (kind: NatKind): boolean => kind === "symmetric" || kind === "port-restricted-cone";
  return !((a === "symmetric" && picky(b)) || (b === "symmetric" && picky(a)));
}

describe("two clients behind NATs, introduced by a server", () => {
  for (const a of KINDS) {
    for (const b of KINDS) {
      const works = canMeet(a, b);
      it(
        ...rfc("R7016-3.5.1.6-04", "R7016-3.5.1.6-03", "AMB-65"),
        `${a} to ${b}: ${works ? "meet" : "fail in time, with a reason"}`,
        async () => {
          for (let seed = 1; seed <= 3; seed++) {
            const world = new SimWorld(seed);
            const server = introducer(world.host("server", { addresses: ["198.51.100.1"] }), (session) => [
              session.address,
            ]);
            const at = { host: "198.51.100.1", port: 1935 };
            const near = await client(world, world.host("near", { behind: world.nat("nat a", { kind: a }) }), at);
            const far = await client(world, world.host("far", { behind: world.nat("nat b", { kind: b }) }), at);
            expect(await meet(world, near, far, 20_000)).toBe(works ? "hello" : "CONNECT_TIMEOUT");
            expect([server.sessions.size, near.session.isOpen, far.session.isOpen]).toEqual([2, true, true]);
            expect(near.endpoint.sessions.size).toBe(works ? 2 : 1);
          }
        },
      );
    }
  }

  it(
    ...rfc("R7016-3.5.1.6-02", "R7016-3.5.1.7-01"),
    "behind one NAT without hairpin meet by their inner addresses",
    async () => {
      const world = new SimWorld(1);
      const nat = world.nat("nat", { kind: "port-restricted-cone" });
      const inner = new Map<string, readonly Address[]>();
      introducer(world.host("server", { addresses: ["198.51.100.1"] }), (session) => [
        session.address,
        ...(inner.get(session.peerId) ?? []),
      ]);
      const at = { host: "198.51.100.1", port: 1935 };
      const near = await client(world, world.host("near", { behind: nat }), at);
      const far = await client(world, world.host("far", { behind: nat }), at);
      inner.set(far.endpoint.peerId, far.endpoint.carrier.interfaceAddresses());
      expect(await meet(world, near, far, 20_000)).toBe("hello");
    },
  );

  it("behind NATs that both dial at once meet in one session", async () => {
    const world = new SimWorld(1);
    introducer(world.host("server", { addresses: ["198.51.100.1"] }), (session) => [session.address]);
    const at = { host: "198.51.100.1", port: 1935 };
    const [one, two] = [
      await client(world, world.host("one", { behind: world.nat("1", { kind: "restricted-cone" }) }), at),
      await client(world, world.host("two", { behind: world.nat("2", { kind: "symmetric" }) }), at),
    ];
    const dial = (from: Client, to: Client): Promise<Session> =>
      from.endpoint.connect({ peerId: to.endpoint.peerId, via: [from.session] }, { timeoutMs: 20_000 });
    const [near, far] = await world.settle(Promise.all([dial(one, two), dial(two, one)]), 25_000);
    expect(near.inner.farId).toBe(far.inner.nearId);
    await world.runAsync(5_000);
    expect([one, two].map(({ endpoint }) => endpoint.sessions.size)).toEqual([2, 2]);
  });

  it("of whom one is unknown to the server fail with a reason", async () => {
    const world = new SimWorld(1);
    introducer(world.host("server", { addresses: ["198.51.100.1"] }), (session) => [session.address]);
    const near = await client(world, world.host("near"), { host: "198.51.100.1", port: 1935 });
    const connect = near.endpoint.connect({ peerId: "ab".repeat(32), via: [near.session] }, { timeoutMs: 10_000 });
    await expect(world.settle(connect, 11_000)).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  });
});

describe("loopback", () => {
  it(...rfc("AMB-11"), "is tried when the introducer is on loopback too", async () => {
    const world = new SimWorld(1);
    const host = world.host("one");
    introducer(host, (session) => [session.address]);
    const at = { host: "127.0.0.1", port: 1935 };
    const [near, far] = [await client(world, host, at), await client(world, host, at)];
    const session = await world.settle(
      near.endpoint.connect({ peerId: far.endpoint.peerId, via: [near.session] }),
      10_000,
    );
    expect(session.address.host).toBe("127.0.0.1");
  });

  it(...rfc("AMB-11"), "is not tried when the introducer is elsewhere", async () => {
    const world = new SimWorld(1);
    introducer(world.host("server", { addresses: ["198.51.100.1"] }), () => [{ host: "127.0.0.1", port: 80 }]);
    const at = { host: "198.51.100.1", port: 1935 };
    const near = await client(world, world.host("near"), at);
    const far = await client(world, world.host("far"), at);
    far.session.introductions = "ignore";
    const capture = world.capture(({ event, to }) => event === "sent" && to.host.startsWith("127."));
    const connect = near.endpoint.connect({ peerId: far.endpoint.peerId, via: [near.session] }, { timeoutMs: 5_000 });
    await expect(world.settle(connect, 11_000)).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
    expect(capture.records).toEqual([]);
  });
});

import { PeerEndpoint, type Session } from "rtmfp-core";
import { createFlashProfile, createIdentity, defaultProvider, SERVER_IDENTITY } from "rtmfp-core/crypto";
import { type NatKind, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { natKind, reachOf } from "../src/nat.ts";
import { Peers } from "../src/peers.ts";
import { MAX_WAITING, Prober } from "../src/prober.ts";

const HERE = "198.51.100.1";
const THERE = "198.51.100.2";

/** A server's endpoint, a prober beside it, and a peer with a session, behind a NAT if a kind is given. */
async function scene(kind?: NatKind, hosts: readonly string[] = [HERE]) {
  const world = new SimWorld(7);
  const server = world.host("server", { addresses: hosts });
  const main = server.open([{ host: HERE, port: 1935 }]);
  const random = (length: number) => server.random(length);
  const profile = createFlashProfile({
    identity: createIdentity(defaultProvider(), { ...SERVER_IDENTITY, groups: [31] }),
    random,
  });
  const endpoint = new PeerEndpoint(main, { profile, random });
  const sessions: Session[] = [];
  endpoint.onSession = (session) => void sessions.push(session);
  const carrier = server.open(hosts.flatMap((host) => [1936, 1937].map((port) => ({ host, port }))));
  const prober = new Prober({
    carrier,
    serverSockets: main.sockets.map(({ address }) => address),
    publicHosts: () => [],
    provider: defaultProvider(),
    random,
    after: (ms, run) => endpoint.after(ms, run),
  });
  const behind = kind === undefined ? {} : { behind: world.nat("nat", { kind }) };
  const host = world.host("peer", behind);
  const peer = new PeerEndpoint(host.open(), {
    profile: createFlashProfile({ identity: { keys: "static", groups: [31] }, random: (n) => host.random(n) }),
    random: (n) => host.random(n),
  });
  const up = await world.settle(peer.connect(`${HERE}:1935`), 10_000);
  up.introductions = "rhello";
  await world.runAsync(1_000);
  const [session] = sessions as [Session];
  const probed = { session, farID: session.peerId, address: session.address };
  return { world, prober, probed, up };
}

describe("a prober", () => {
  const kinds: readonly [NatKind | undefined, boolean, boolean][] = [
    [undefined, false, false],
    ["full-cone", false, false],
    ["restricted-cone", false, false],
    ["port-restricted-cone", false, true],
    ["symmetric", true, true],
  ];
  it(...rfc("C-9", "F-12"), "tells the kinds of NAT apart by two more ports of the server's", async () => {
    for (const [kind, symmetric, filtersPorts] of kinds) {
      const { world, prober, probed } = await scene(kind);
      const found = await world.settle(prober.examine(probed), 10_000);
      expect([kind, found]).toEqual([kind, { symmetric, filtersPorts }]);
    }
  });

  it(...rfc("C-9"), "knows nothing of a peer that does not answer introductions", async () => {
    const { world, prober, probed, up } = await scene("port-restricted-cone");
    up.introductions = "ignore";
    expect(await world.settle(prober.examine(probed), 10_000)).toEqual({
      symmetric: undefined,
      filtersPorts: undefined,
    });
  });

  it(...rfc("C-9", "V-5"), "has a peer answer to the nearest address that reaches as far as it is", async () => {
    const world = new SimWorld(7);
    const host = world.host("server", { addresses: ["10.0.0.5"] });
    const random = (length: number) => host.random(length);
    const bound = (address: string) => {
      const prober = new Prober({
        carrier: host.open([{ host: address, port: 0 }]),
        serverSockets: [{ host: address, port: 1935 }],
        publicHosts: () => ["203.0.113.10", "2001:db8::10", "10.0.0.5"],
        provider: defaultProvider(),
        random,
        after: (ms, run) => world.after(ms, run),
      });
      return (peer: string) => {
        const probed = { session: { via: 0 } as Session, farID: "", address: { host: peer, port: 7 } };
        return prober.vantages(probed).otherPorts[0]?.replyTo?.host;
      };
    };
    const [any, own] = [bound("0.0.0.0"), bound("10.0.0.5")];
    const peers = ["198.51.100.7", "10.0.0.9", "127.0.0.1"];
    expect(peers.map(any)).toEqual(["203.0.113.10", "10.0.0.5", "127.0.0.1"]);
    expect(peers.map(own)).toEqual(["203.0.113.10", "10.0.0.5", undefined]);
  });

  it("sees another address where there is one, of use for those whom it reaches", async () => {
    const { prober, probed } = await scene(undefined, [HERE, THERE]);
    const { otherPorts, otherHosts } = prober.vantages(probed);
    expect(otherPorts.map(({ replyTo }) => replyTo)).toEqual([
      { host: HERE, port: 1936 },
      { host: HERE, port: 1937 },
    ]);
    expect(otherHosts.map(({ replyTo }) => replyTo)).toEqual([{ host: THERE, port: 1936 }]);
    const inside = await scene(undefined, [HERE, "10.9.9.9"]);
    expect(inside.prober.vantages(inside.probed).otherHosts).toEqual([]);
  });

  it(`asks ${MAX_WAITING} questions at a time, and leaves others without an answer`, async () => {
    const { world, prober, probed } = await scene("port-restricted-cone");
    const vantage = prober.vantages(probed).otherPorts[0]!;
    const asked = Array.from({ length: MAX_WAITING }, () => prober.hears(probed, vantage));
    expect(await prober.hears(probed, vantage)).toBe(false);
    expect(await world.settle(Promise.all(asked), 10_000)).not.toContain(true);
    const closing = prober.hears(probed, vantage);
    await prober.close();
    expect(await closing).toBe(false);
  });
});

describe("a verdict on a NAT", () => {
  it("is forgotten when the peer has moved", () => {
    const peers = new Peers();
    const entry = peers.add({ address: { host: "192.0.2.1", port: 1 } } as Session);
    entry.examined = { symmetric: true, filtersPorts: true };
    expect(entry.nat).toMatchObject({ symmetric: true, filtersPorts: true });
    peers.moved(entry, { host: "192.0.2.2", port: 2 });
    expect(entry.nat).toMatchObject({ symmetric: undefined, filtersPorts: undefined });
  });

  it("is one word", () => {
    const verdict = { behindNat: undefined, keepsPort: undefined, symmetric: undefined, filtersPorts: undefined };
    expect(natKind(verdict)).toBe("unknown");
    expect(natKind({ ...verdict, symmetric: false })).toBe("nat");
    expect(natKind({ ...verdict, behindNat: false })).toBe("none");
    expect(natKind({ ...verdict, behindNat: true })).toBe("nat");
    expect(natKind({ ...verdict, behindNat: true, symmetric: true })).toBe("symmetric");
  });

  it("knows how far an address reaches", () => {
    expect(["127.0.0.1", "::1"].map(reachOf)).toEqual([0, 0]);
    expect(["10.1.1.1", "172.16.0.1", "172.31.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1"].map(reachOf)).toEqual(
      Array.from({ length: 6 }, () => 1),
    );
    expect(["fd00::1", "fe80::1", "fc12:3::1"].map(reachOf)).toEqual([1, 1, 1]);
    expect(["172.32.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1", "fec0::1"].map(reachOf)).toEqual([2, 2, 2, 2, 2]);
  });
});

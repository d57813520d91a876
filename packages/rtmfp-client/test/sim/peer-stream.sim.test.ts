import type { FlvTag } from "rtmfp-core/flv";
import { type LinkOptions, type NatKind, type SimHost, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { NetConnection, NetStream } from "../../src/index.ts";
import { collect, ofKind, TAGS } from "../support/connections.ts";
import { MiniServer } from "../support/mini-server.ts";

/** A server and two clients, alice and bob, in virtual time. */
interface Scene {
  readonly world: SimWorld;
  readonly server: MiniServer;
  readonly serverHost: SimHost;
  readonly hosts: readonly SimHost[];
  readonly alice: NetConnection;
  readonly bob: NetConnection;
}

async function makeScene(seed: number, link: Partial<LinkOptions>, nats: readonly NatKind[] = []): Promise<Scene> {
  const world = new SimWorld(seed);
  const clock = { now: () => world.now, after: (ms: number, run: () => void) => world.after(ms, run) };
  const serverHost = world.host("server", { addresses: ["198.51.100.1"] });
  const random = (length: number): Uint8Array => serverHost.random(length);
  const server = new MiniServer(serverHost.open([{ port: 1935 }]), { clock, random });
  const hosts = ["alice", "bob"].map((name, i) => {
    const kind = nats[i];
    return world.host(name, { link, ...(kind === undefined ? {} : { behind: world.nat(`${name}-nat`, { kind }) }) });
  });
  const [alice, bob] = hosts.map(
    (host) =>
      new NetConnection({
        carrier: () => host.open([{ port: 0 }]),
        clock,
        random: (length) => host.random(length),
      }),
  ) as [NetConnection, NetConnection];
  await world.settle(Promise.all([alice, bob].map((each) => each.connect("rtmfp://198.51.100.1/app/room"))), 60_000);
  return { world, server, serverHost, hosts, alice, bob };
}

/** Streams `tags` from alice to bob; resolves with what came. */
async function stream(scene: Scene, tags: readonly FlvTag[], meanwhile: () => void = () => {}): Promise<FlvTag[]> {
  const { world, alice, bob } = scene;
  const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
  await cam.publish("cam");
  const view = new NetStream(bob, alice.nearID, { reorderMs: 60_000 });
  await world.settle(view.play("cam"), 60_000);
  const got = collect(view);
  const result = cam.feed(tags).finally(() => cam.close());
  await world.runAsync(2_000);
  meanwhile();
  expect(await world.settle(result, 600_000)).toMatchObject({ delivered: tags.length, abandoned: 0 });
  return world.settle(got, 60_000);
}

describe("a stream between peers in virtual time", () => {
  it("loses no tag at 30 % loss both ways, and the server sees none", async () => {
    // Each datagram crosses two access links.
    const scene = await makeScene(1, { latencyMs: 20, loss: 0.16 });
    const tags = TAGS.slice(0, 300);
    const got = await stream(scene, tags);
    for (const type of ["audio", "video", "data"] as const) expect(ofKind(got, type)).toEqual(ofKind(tags, type));
    expect(scene.server.mediaMessages).toBe(0);
  });

  const pairs: [NatKind, NatKind][] = [
    ["port-restricted-cone", "port-restricted-cone"],
    ["symmetric", "restricted-cone"],
    ["full-cone", "symmetric"],
  ];
  for (const pair of pairs) {
    it(...rfc("R7425-5.4.1-02"), `meets through the server, behind ${pair.join(" and ")}`, async () => {
      const scene = await makeScene(2, { latencyMs: 20 }, pair);
      const got = await stream(scene, TAGS.slice(0, 100));
      expect(got).toHaveLength(100);
      expect(scene.server.mediaMessages).toBe(0);
    });
  }

  it("goes on while the server cannot be reached", async () => {
    const scene = await makeScene(3, { latencyMs: 20 });
    const { world, hosts, serverHost } = scene;
    const got = await stream(scene, TAGS.slice(0, 400), () => world.partition([serverHost], hosts));
    expect(got).toHaveLength(400);
  });
});

import type { FlvTag } from "rtmfp-core/flv";
import type { NatKind } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { NetStream } from "../../src/index.ts";
import { collect, ofKind, TAGS } from "../support/connections.ts";
import { makeScene, type Scene } from "../support/scene.ts";

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

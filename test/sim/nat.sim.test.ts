import { NetStream } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { type NatKind, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { makeClient, startServer, URL } from "./support.ts";

const KINDS: readonly NatKind[] = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"];

/** Introduction by one server cannot open a path between these. */
function impossible(a: NatKind, b: NatKind): boolean {
  const strict = (kind: NatKind): boolean => kind === "symmetric" || kind === "port-restricted-cone";
  return (a === "symmetric" && strict(b)) || (b === "symmetric" && strict(a));
}

const TAGS: readonly FlvTag[] = Array.from({ length: 20 }, (_, i) => ({
  type: "audio" as const,
  timestamp: i * 20,
  data: Uint8Array.of(0x2f, i, i, i),
}));

/** One peer publishes, the other plays from it; both know each other's ids and nothing else. */
async function playAcross(publisherNat: NatKind, viewerNat: NatKind, seed: number): Promise<FlvTag[] | string> {
  const world = new SimWorld(seed);
  const server = await startServer(world);
  const publisher = makeClient(world, "publisher", world.nat("nat-p", { kind: publisherNat }));
  const viewer = makeClient(world, "viewer", world.nat("nat-v", { kind: viewerNat }), { timeoutMs: 20_000 });
  await world.settle(Promise.all([publisher.nc.connect(URL), viewer.nc.connect(URL)]), 30_000);
  const cam = new NetStream(publisher.nc, NetStream.DIRECT_CONNECTIONS);
  await world.settle(cam.publish("cam"), 1_000);
  const view = new NetStream(viewer.nc, publisher.nc.nearID ?? "");
  const received: FlvTag[] = [];
  const play = async (): Promise<FlvTag[] | string> => {
    try {
      await view.play("cam");
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
    const feed = cam.feed(TAGS).then(() => cam.close());
    for await (const tag of view) received.push(tag);
    await feed;
    return received;
  };
  const outcome = await world.settle(play(), 120_000);
  await world.settle(Promise.all([publisher.nc.close(), viewer.nc.close(), server.close()]), 200_000);
  return outcome;
}

/** All pairs, publisher first, each with a seed of its own. */
const PAIRS: readonly [NatKind, NatKind, number][] = KINDS.flatMap((a, i) =>
  KINDS.map((b, j) => [a, b, 100 + 4 * i + j] as [NatKind, NatKind, number]),
);

describe("two clients behind NATs", () => {
  it(
    ...rfc("R7016-3.5.1.6-04", "R7425-5.4.1-02", "C-5"),
    "meet through the server and stream to each other, in each of the 13 pairs that can",
    async () => {
      const pairs = PAIRS.filter(([a, b]) => !impossible(a, b));
      expect(pairs).toHaveLength(13);
      for (const [a, b, seed] of pairs) expect([a, b, await playAcross(a, b, seed)]).toEqual([a, b, TAGS]);
    },
  );

  it(...rfc("AMB-65"), "are told in time that they cannot meet, in each of the 3 pairs that cannot", async () => {
    const pairs = PAIRS.filter(([a, b]) => impossible(a, b));
    expect(pairs).toHaveLength(3);
    for (const [a, b, seed] of pairs)
      expect([a, b, await playAcross(a, b, seed)]).toEqual([a, b, "NetStream.Connect.Failed"]);
  });
});

import { expect, it } from "vitest";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { rawNode } from "./raw.ts";
import { data, next, openScripted, Scripted, startup } from "./scripted.ts";

it("counts a session's chunks by type, both ways, and those unknown together", () => {
  const world = new SimWorld(1);
  const link = { latencyMs: 0, mtu: 9_000 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far, "initiator");
  expect(session.stats.chunksReceived).toEqual({});

  far.send(data(3, 1, 1, { data: "1", options: startup() }), next({ data: "2" }), next({ data: "3" }));
  far.send({ type: ChunkType.ping, message: Uint8Array.of(1) }, { type: 0xec, payload: Uint8Array.of(2, 3) });
  far.send({ type: 0x4d, payload: new Uint8Array(0) });
  world.run(300);
  expect(session.stats.chunksReceived).toEqual({ userData: 1, nextUserData: 2, ping: 1, other: 2 });
  expect(session.stats.chunksSent).toEqual({ ackRanges: 1, pingReply: 1 });

  session.close(world.now);
  world.run(1);
  expect(session.stats.chunksSent).toEqual({ ackRanges: 1, pingReply: 1, closeRequest: 1 });
  far.send({ type: ChunkType.closeAck });
  world.run(1);
  expect(session.stats.chunksReceived).toMatchObject({ closeAck: 1 });
});

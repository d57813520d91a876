import { PeerEndpoint } from "rtmfp-core";
import { CLIENT_IDENTITY, createFlashProfile, uriEpd } from "rtmfp-core/crypto";
import { encodeCommand, encodeMetadata } from "rtmfp-core/tc";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it } from "../support/rfc.ts";
import { makeClient, startServer, URL } from "./support.ts";

const CONNECT = encodeCommand(
  { name: "connect", transactionId: 1, commandObject: { app: "app", tcUrl: URL, objectEncoding: 0 }, args: [] },
  { objectEncoding: 0, timestamp: 0 },
);
const CREATE_STREAM = encodeCommand(
  { name: "createStream", transactionId: 2, commandObject: null, args: [] },
  { objectEncoding: 0, timestamp: 0 },
);

/** Connects, sends the messages on a control flow, and does `then` at once; the server must live on. */
async function hasty(messages: readonly Uint8Array[], then: "close flow" | "abort" | "close session"): Promise<void> {
  const world = new SimWorld(5);
  const server = await startServer(world, { keepalive: { serverMs: 5_000, peerMs: 5_000 } });
  const host = world.host("hasty");
  const random = (length: number): Uint8Array => host.random(length);
  const profile = createFlashProfile({ identity: CLIENT_IDENTITY, random });
  const endpoint = new PeerEndpoint(host.open([{ port: 0 }]), { profile, random });
  const target = { host: "198.51.100.1", port: 1935 };
  const session = await world.settle(endpoint.connect(target, { epd: uriEpd(URL) }), 5_000);
  const flow = session.openFlow(encodeMetadata(0, "sequence"));
  for (const message of messages) flow.write(message);
  void flow.close();
  if (then === "abort") session.abort();
  if (then === "close session") void session.close();
  await world.runAsync(20_000);
  const honest = makeClient(world, "honest");
  await world.settle(honest.nc.connect(URL), 10_000);
  expect(honest.nc.connected).toBe(true);
  await world.settle(Promise.all([honest.nc.close(), endpoint.close(), server.close()]), 200_000);
}

describe("a client that leaves while it asks", () => {
  for (const then of ["close flow", "abort", "close session"] as const) {
    it(`ends its control flow with connect in it, then: ${then}`, () => hasty([CONNECT], then));
    it(`ends its control flow with connect and createStream in it, then: ${then}`, () =>
      hasty([CONNECT, CREATE_STREAM], then));
    it(`ends its control flow empty, then: ${then}`, () => hasty([], then));
  }
});

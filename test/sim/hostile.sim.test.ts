import { NetStream, type StatusEvent } from "rtmfp-client";
import { PeerEndpoint, type RecvFlow, type SendFlow, type Session } from "rtmfp-core";
import { CLIENT_IDENTITY, createFlashProfile, SERVER_IDENTITY, uriEpd } from "rtmfp-core/crypto";
import {
  AmfTyped,
  type AmfValue,
  type Command,
  decodeCommand,
  decodeMessage,
  encodeCommand,
  encodeMetadata,
  encodeUserControl,
  MessageType,
  statusInfo,
} from "rtmfp-core/tc";
import { type SimHost, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it } from "../support/rfc.ts";
import { makeClient, startServer, URL } from "./support.ts";

const SERVER = { host: "198.51.100.1", port: 1935 };

function endpointOn(host: SimHost, port: number, identity: typeof CLIENT_IDENTITY): PeerEndpoint {
  const random = (length: number): Uint8Array => host.random(length);
  return new PeerEndpoint(host.open([{ port }]), { profile: createFlashProfile({ identity, random }), random });
}

/** A session with the server by which anything can be said. */
async function intrude(world: SimWorld, via?: string): Promise<{ endpoint: PeerEndpoint; session: Session }> {
  const endpoint = endpointOn(world.host("intruder"), 0, CLIENT_IDENTITY);
  const session = await world.settle(endpoint.connect(SERVER, { epd: uriEpd(URL) }), 5_000);
  if (via === undefined) return { endpoint, session };
  return { endpoint, session: await world.settle(endpoint.connect({ peerId: via, via: [session] }), 5_000) };
}

function command(name: string, transactionId: number, commandObject: AmfValue, ...args: AmfValue[]): Uint8Array {
  return encodeCommand({ name, transactionId, commandObject, args });
}

/** A value that contains nothing but itself. */
function itself(): AmfTyped {
  const value = new AmfTyped("flex.messaging.io.ArrayCollection", null);
  value.value = value;
  return value;
}

/** Commands that an odd server gets, and how it answers them. */
type Answer = (command: Command, back: SendFlow, flow: RecvFlow) => void;

/** A server that accepts clients and says nothing else but what `answer` says. */
function startOddServer(world: SimWorld, answer: Answer): PeerEndpoint {
  const host = world.host("server", { addresses: [SERVER.host] });
  world.name("server.test", [SERVER.host]);
  const endpoint = endpointOn(host, SERVER.port, SERVER_IDENTITY);
  endpoint.onFlow = (flow) => {
    let back: SendFlow | undefined;
    flow.onMessage = (data) => {
      const message = decodeMessage(data);
      if (message?.type !== MessageType.commandAmf0) return;
      back ??= flow.openReturn(encodeMetadata(flow.metadata[3] ?? 0));
      const received = decodeCommand(message);
      answer(received, back, flow);
    };
  };
  return endpoint;
}

const accept: Answer = ({ name, transactionId }, back) => {
  const success = statusInfo("NetConnection.Connect.Success", "", { objectEncoding: 0 });
  if (name === "connect") back.write(command("_result", transactionId, null, success));
  if (name === "createStream") back.write(command("_result", transactionId, null, 1));
};

describe("a hostile client", () => {
  it("connects with an object that wraps itself, and the server lives on", async () => {
    const world = new SimWorld(1);
    const server = await startServer(world);
    const { endpoint, session } = await intrude(world);
    session.openFlow(encodeMetadata(0)).write(command("connect", 1, itself(), itself()));
    await world.runAsync(1_000);
    const honest = makeClient(world, "honest");
    await world.settle(honest.nc.connect(URL), 5_000);
    await world.settle(Promise.all([honest.nc.close(), endpoint.close(), server.close()]), 200_000);
  });

  it("leaves metadata that has no form in AMF0, and others play its stream without them", async () => {
    const world = new SimWorld(2);
    const server = await startServer(world);
    const camera = makeClient(world, "camera");
    const viewer = makeClient(world, "viewer");
    camera.nc.objectEncoding = 3;
    await world.settle(Promise.all([camera.nc.connect(URL), viewer.nc.connect(URL)]), 5_000);
    const cam = new NetStream(camera.nc);
    await world.settle(cam.publish("cam"), 5_000);
    cam.send("@setDataFrame", "onMetaData", new Array<string>(8_000).fill("a".repeat(4_000)));
    await world.runAsync(2_000);
    for (let i = 0; i < 2; i++) {
      const view = new NetStream(viewer.nc);
      await world.settle(view.play("cam"), 5_000);
      cam.writeTag({ type: "audio", timestamp: 20, data: Uint8Array.of(0x2f, 1) });
      const first = await world.settle(view[Symbol.asyncIterator]().next(), 5_000);
      expect(first.value).toMatchObject({ type: "audio", timestamp: 20 });
      await world.settle(view.close(), 5_000);
    }
    expect(server.stats.droppedMessages).toBe(2);
    await world.settle(Promise.all([camera.nc.close(), viewer.nc.close(), server.close()]), 200_000);
  });

  it("subscribes to a peer and is gone in the same moment, and the publisher lives on", async () => {
    const world = new SimWorld(3);
    const server = await startServer(world);
    const { nc } = makeClient(world, "publisher");
    await world.settle(nc.connect(URL), 5_000);
    const cam = new NetStream(nc, NetStream.DIRECT_CONNECTIONS);
    await world.settle(cam.publish("cam"), 5_000);
    const { endpoint, session } = await intrude(world, nc.nearID);
    session.openFlow(encodeMetadata(1)).write(command("play", 0, null, "cam"));
    // Sent in two packets, which arrive together.
    await world.runAsync(0);
    session.abort();
    await world.runAsync(5_000);
    expect(cam.peerStreams).toEqual([]);
    await world.settle(Promise.all([nc.close(), endpoint.close(), server.close()]), 200_000);
  });
});

describe("a client of an odd server", () => {
  it("ends a play that was never answered when it closes", async () => {
    const world = new SimWorld(4);
    const server = startOddServer(world, accept);
    const { nc } = makeClient(world, "client");
    await world.settle(nc.connect(URL), 5_000);
    const played = new NetStream(nc).play("cam").catch((error) => error.code);
    await world.runAsync(1_000);
    await world.settle(nc.close(), 5_000);
    expect(await world.settle(played, 100)).toBe("NetStream.Failed");
    await world.settle(server.close(), 1_000);
  });

  for (const ms of [0, 1_000])
    it(`ends a publish that was never answered when its stream closes, after ${ms} ms`, async () => {
      const world = new SimWorld(5);
      const server = startOddServer(world, accept);
      const { nc } = makeClient(world, "client");
      await world.settle(nc.connect(URL), 5_000);
      const stream = new NetStream(nc);
      const published = stream.publish("cam").catch((error) => error.code);
      await world.runAsync(ms);
      await world.settle(stream.close(), 5_000);
      expect(await world.settle(published, 100)).toBe("NetStream.Failed");
      expect(stream.isPublishing).toBe(false);
      await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
    });

  it("takes a stream ID once", async () => {
    const world = new SimWorld(6);
    const server = startOddServer(world, accept);
    const { nc } = makeClient(world, "client");
    await world.settle(nc.connect(URL), 5_000);
    const [first, second] = [new NetStream(nc), new NetStream(nc)].map((stream) =>
      stream.play("cam").catch((error) => error.message),
    );
    expect(await world.settle(second as Promise<string>, 1_000)).toBe("the server gave no usable stream ID");
    await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
    expect(await first).toBe("the server connection ended");
  });

  it("fails at once by errors that nobody knows, and says which", async () => {
    const world = new SimWorld(11);
    const infos: AmfValue[] = [
      { level: "error", code: "NetStream.Play.Unauthorized", description: "no token" },
      { level: "error", code: "NetStream.Made.Up" },
      { level: "error" },
    ];
    let attempt = 0;
    const server = startOddServer(world, (received, back) => {
      if (received.name === "createStream") back.write(command("_result", received.transactionId, null, attempt + 1));
      else accept(received, back, undefined as never);
      if (received.name !== "play" && received.name !== "publish") return;
      back.write(command("onStatus", 0, null, { level: "status", code: "NetStream.Made.Up.Too" }));
      back.write(command("onStatus", 0, null, infos[attempt++]));
    });
    const { nc } = makeClient(world, "client");
    await world.settle(nc.connect(URL), 5_000);
    const told: unknown[] = [];
    for (const way of ["play", "publish", "play"] as const) {
      const stream = new NetStream(nc).on("status", ({ code }) => told.push(code));
      await world.settle(
        stream[way]("cam").catch((error) => told.push([error.code, error.message])),
        5_000,
      );
    }
    const failed = (why: string): unknown[] => ["NetStream.Failed", ["NetStream.Failed", why]];
    expect(told).toEqual([
      ...failed("NetStream.Play.Unauthorized: no token"),
      ...failed("NetStream.Made.Up"),
      ...failed("the server does not say why"),
    ]);
    await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
  });

  it("tells proper events only, whatever connect is refused with", async () => {
    const world = new SimWorld(7);
    const infos = [
      new AmfTyped("a.B", { code: "NetConnection.Connect.Rejected", level: "status" }),
      { code: "NetConnection.Connect.Success" },
      { code: "NetStream.Play.Start" },
      "no",
      itself(),
    ];
    let attempt = 0;
    const server = startOddServer(world, ({ name, transactionId }, back) => {
      if (name === "connect") back.write(command("_error", transactionId, null, infos[attempt++]));
    });
    const { nc } = makeClient(world, "client");
    const events: StatusEvent[] = [];
    nc.on("status", (event) => events.push(event));
    for (const _ of infos)
      await expect(world.settle(nc.connect(URL), 5_000)).rejects.toMatchObject({
        code: "NetConnection.Connect.Rejected",
      });
    const rejected = { code: "NetConnection.Connect.Rejected", level: "error" };
    expect(events).toEqual(infos.map(() => expect.objectContaining(rejected)));
    await world.settle(server.close(), 5_000);
  });

  it("drops answers that the server does not take", async () => {
    const world = new SimWorld(8);
    let pings: SendFlow | undefined;
    const server = startOddServer(world, (received, back, flow) => {
      accept(received, back, flow);
      if (received.name !== "setPeerInfo") return;
      flow.pause();
      pings = back;
    });
    const { nc } = makeClient(world, "client");
    await world.settle(nc.connect(URL), 5_000);
    const ping = encodeUserControl({ event: "pingRequest", timestamp: 1 });
    for (let i = 0; i < 150 && nc.core.tree.stats.unanswered === 0; i++) {
      await world.runAsync(200);
      for (let j = 0; j < 2_000; j++) pings?.write(ping);
    }
    expect(nc.core.tree.stats.unanswered).toBeGreaterThan(0);
    await world.settle(nc.close(), 5_000);
    await world.settle(server.close(), 5_000);
  });

  it("closes in good order, and leaves nothing behind, when the server leaves as it comes", async () => {
    const world = new SimWorld(9);
    const server = startOddServer(world, accept);
    server.onSession = (session) => void world.after(1, () => session.abort());
    const { nc } = makeClient(world, "client");
    await expect(world.settle(nc.connect(URL), 5_000)).rejects.toMatchObject({ code: "NetConnection.Connect.Failed" });
    await world.settle(server.close(), 5_000);
    await world.runAsync(1_000);
    expect(world.step()).toBe(false);
  });
});

describe("a NetStream", () => {
  it("that was to play before its connection was there plays once it is", async () => {
    const world = new SimWorld(10);
    const server = await startServer(world);
    const { nc } = makeClient(world, "client");
    const stream = new NetStream(nc);
    await expect(stream.play("cam")).rejects.toMatchObject({ code: "NetConnection.Connect.Closed" });
    await world.settle(nc.connect(URL), 5_000);
    expect((await world.settle(stream.play("cam"), 5_000)).code).toBe("NetStream.Play.Start");
    await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
  });
});

import { NetConnection, NetStream } from "rtmfp-client";
import { createStartupCipher, defaultProvider, parseCertificate, parseComponent, parseEpd } from "rtmfp-core/crypto";
import { type Chunk, ChunkType } from "rtmfp-core/proto";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { makeClient, startServer, URL } from "./support.ts";
import { type LoggedFlow, WireLog } from "./wire-log.ts";

const STARTUP: ReadonlySet<Chunk["type"]> = new Set([
  ChunkType.fragment,
  ChunkType.iHello,
  ChunkType.forwardedIHello,
  ChunkType.rHello,
  ChunkType.redirect,
  ChunkType.cookieChange,
  ChunkType.iiKeying,
  ChunkType.riKeying,
]);

/** A client whose packets are logged. */
function logged(world: SimWorld, name: string) {
  const wire = new WireLog();
  return { ...makeClient(world, name, undefined, { trace: wire.hooks }), wire };
}

function flowWith(flows: readonly LoggedFlow[], direction: "in" | "out", message: string): LoggedFlow {
  const found = flows.find((flow) => flow.direction === direction && flow.messages.includes(message));
  if (found === undefined) throw new Error(`no flow ${direction} with ${message}: ${JSON.stringify(flows)}`);
  return found;
}

describe("a client that connects", () => {
  it(
    ...rfc("R7425-5.3.1-01", "R7425-6.1-03"),
    "says hello at once to every address of the host's name, and names the URI",
    async () => {
      const world = new SimWorld(1);
      const server = await startServer(world);
      world.name("server.test", ["198.51.100.1", "2001:db8::9", "198.51.100.9"]);
      const wire = new WireLog();
      const host = world.host("dual", { addresses: ["192.0.2.7", "2001:db8::7"], link: { latencyMs: 15 } });
      const nc = new NetConnection({
        carrier: () => host.open(),
        clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
        random: (length) => host.random(length),
        trace: wire.hooks,
      });
      await world.settle(nc.connect(URL), 5_000);
      const hellos = wire.chunks(ChunkType.iHello);
      expect(hellos.map(({ packet }) => packet.peer).sort()).toEqual([
        "198.51.100.1:1935",
        "198.51.100.9:1935",
        "[2001:db8::9]:1935",
      ]);
      for (const { chunk } of hellos) expect(new TextDecoder().decode(parseEpd(chunk.epd)?.ancillaryData)).toBe(URL);
      await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
    },
  );

  it(
    ...rfc("R7425-5.3.3-03", "R7425-5.3.3-04", "R7425-5.3.3-06", "R7425-5.3.3-10", "R7425-5.3.3-01"),
    "lists all its interfaces' addresses but link-local and loopback ones, and not the server's",
    async () => {
      const world = new SimWorld(2);
      const server = await startServer(world);
      const wire = new WireLog();
      const addresses = ["192.0.2.7", "10.0.0.7", "169.254.3.4", "2001:db8::7", "fe80::7"];
      const host = world.host("multi-homed", { addresses, link: { latencyMs: 15 } });
      const nc = new NetConnection({
        carrier: () =>
          host.open([
            { host: "0.0.0.0", port: 4_000 },
            { host: "::", port: 4_001 },
          ]),
        clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
        random: (length) => host.random(length),
        trace: wire.hooks,
      });
      await world.settle(nc.connect(URL), 5_000);
      await world.runAsync(500);
      const [connect, peerInfo] = wire.flows().find(({ direction }) => direction === "out")?.messages ?? [];
      expect(connect).toBe("connect");
      expect(peerInfo).toBe("setPeerInfo 192.0.2.7:4000 10.0.0.7:4000 [2001:db8::7]:4001");
      await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
    },
  );

  it(
    ...rfc("R7425-7-01", "R7425-7-02", "R7425-7-03", "R7425-5.3-01"),
    "shows static keys of its own in each connection, and the server fresh ephemeral ones",
    async () => {
      const world = new SimWorld(3);
      const server = await startServer(world);
      const { nc, wire } = logged(world, "client");
      for (let i = 0; i < 2; i++) {
        await world.settle(nc.connect(URL), 5_000);
        await world.settle(nc.close(), 100_000);
      }
      const provider = defaultProvider();
      const near = wire.chunks(ChunkType.iiKeying).map(({ chunk }) => parseCertificate(provider, chunk.certificate));
      expect(near).toHaveLength(2);
      for (const certificate of near) {
        expect(certificate?.staticKeys.size).toBeGreaterThan(0);
        expect(certificate?.ephemeralGroups).toEqual([]);
      }
      expect(near[0]?.id).not.toBe(near[1]?.id);
      const [hello] = wire.chunks(ChunkType.rHello);
      const far = parseCertificate(provider, hello?.chunk.certificate ?? new Uint8Array(0));
      expect(far?.staticKeys.size).toBe(0);
      expect(far?.ephemeralGroups.length).toBeGreaterThan(0);
      const keys = wire.chunks(ChunkType.riKeying).map(({ chunk }) => parseComponent(chunk.skrc)?.ephemeral?.publicKey);
      expect(keys).toHaveLength(2);
      expect(keys[0]?.length).toBeGreaterThan(0);
      expect(keys[0]).not.toEqual(keys[1]);
      await world.settle(server.close(), 100_000);
    },
  );

  it(
    ...rfc("R7016-5-01", "R7425-7-04", "R7425-7-05", "R7425-7-06"),
    "agrees with the server on HMACs and sequence numbers both ways, by default",
    async () => {
      const world = new SimWorld(4);
      const server = await startServer(world);
      const { nc } = logged(world, "client");
      await world.settle(nc.connect(URL), 5_000);
      expect(nc.core.session?.security).toMatchObject({ nearSequence: true, farSequence: true });
      expect(nc.core.session?.security["nearHmac"]).toBeGreaterThanOrEqual(10);
      expect(nc.core.session?.security["farHmac"]).toBeGreaterThanOrEqual(10);
      await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
    },
  );

  it(
    ...rfc("R7016-5-02"),
    "puts nothing but startup chunks under the default key, and takes nothing else under it",
    async () => {
      const world = new SimWorld(5);
      const server = await startServer(world);
      const { nc, host, wire } = logged(world, "client");
      await world.settle(nc.connect(URL), 5_000);
      await world.runAsync(500);
      const cipher = createStartupCipher(defaultProvider());
      for (const { startup, datagram, chunks } of wire.packets) {
        const opened = cipher.open(datagram.subarray(4));
        expect(opened !== undefined).toBe(startup);
        if (startup) expect(chunks.every(({ type }) => STARTUP.has(type))).toBe(true);
      }
      // What a forger seals under the key that everybody knows, for the ID of the open session.
      const session = nc.core.session;
      const closing = new Uint8Array(64);
      closing.set([0x02, 0x0c, 0x00, 0x00], cipher.headroom);
      const end = cipher.seal(closing, cipher.headroom, cipher.headroom + 4);
      const nearId = session?.inner.nearId ?? 0;
      const view = new DataView(closing.buffer);
      view.setUint32(0, nearId ^ view.getUint32(4) ^ view.getUint32(8));
      const own = nc.core.endpoint.carrier.sockets[0]?.address.port ?? 0;
      const before = nc.core.endpoint.stats.badVerify + nc.core.endpoint.stats.badSize;
      const forger = world.host("forger");
      forger.inject(
        { host: "198.51.100.1", port: 1935 },
        { host: host.addresses[0] ?? "", port: own },
        closing.slice(0, end),
      );
      await world.runAsync(500);
      expect(nc.core.endpoint.stats.badVerify + nc.core.endpoint.stats.badSize).toBe(before + 1);
      expect(session?.isOpen).toBe(true);
      await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
    },
  );
});

describe("the flows of a connection", () => {
  it(
    ...rfc("V1-45", "V1-44", "R7425-5.3.2-02", "R7425-5.3.5-01", "R7425-5.2-06"),
    "are those of Figure 5 for a client that plays, with a barrier only where the order matters",
    async () => {
      const world = new SimWorld(6);
      const server = await startServer(world);
      const camera = makeClient(world, "camera");
      const viewer = logged(world, "viewer");
      await world.settle(Promise.all([camera.nc.connect(URL), viewer.nc.connect(URL)]), 5_000);
      const cam = new NetStream(camera.nc);
      await world.settle(cam.publish("cam"), 5_000);
      const view = new NetStream(viewer.nc);
      await world.settle(view.play("cam"), 5_000);
      const write = async (from: number, count: number): Promise<void> => {
        for (let i = from; i < from + count; i++) {
          cam.writeTag({ type: "audio", timestamp: i * 20, data: Uint8Array.of(0x2f, i) });
          cam.writeTag({ type: "video", timestamp: i * 20, data: Uint8Array.of(0x12, i) });
          await world.runAsync(20);
        }
        await world.runAsync(500);
      };
      const barriers = (): number =>
        viewer.wire
          .flows()
          .filter(({ direction }) => direction === "in")
          .flatMap(({ messages }) => messages.filter((message) => message === "flowSync")).length;
      await write(0, 5);
      const opening = barriers();
      await write(5, 50);
      expect(barriers()).toBe(opening);
      await world.settle(cam.close(), 10_000);
      await world.runAsync(500);
      const flows = viewer.wire.flows();
      const media = ["audio", "video", "streamBegin"].map((kind) => flowWith(flows, "in", kind));
      // Status and media flows agree before the end is told.
      expect(barriers()).toBe(opening + 3);
      for (const { messages } of media) expect(messages).toContain("flowSync");
      const main = flowWith(flows, "in", "streamBegin").messages;
      expect(main.slice(-2)).toEqual(["flowSync", "onStatus NetStream.Play.UnpublishNotify"]);

      const startup = viewer.wire.packets.filter((packet) => packet.startup);
      expect(startup.flatMap(({ chunks }) => chunks.map(({ type }) => type))).toEqual([
        ChunkType.iHello,
        ChunkType.rHello,
        ChunkType.iiKeying,
        ChunkType.riKeying,
      ]);
      const [hello] = viewer.wire.chunks(ChunkType.iHello);
      const [answer] = viewer.wire.chunks(ChunkType.rHello);
      const certificate = answer?.chunk.certificate ?? new Uint8Array(0);
      expect(new TextDecoder().decode(parseEpd(hello?.chunk.epd ?? certificate)?.ancillaryData)).toBe(URL);
      expect(parseCertificate(defaultProvider(), certificate)?.acceptsAncillaryData).toBe(true);
      const client = flowWith(flows, "out", "connect");
      const reply = flowWith(flows, "in", "_result NetConnection.Connect.Success");
      expect(client.metadata).toEqual({ streamId: 0, receiveIntent: "sequence" });
      expect(client.answers).toBeUndefined();
      expect(client.messages.map((message) => message.split(" ")[0])).toEqual([
        "connect",
        "setPeerInfo",
        "createStream",
      ]);
      expect(reply.metadata?.streamId).toBe(0);
      expect(reply.answers).toBe(client.id);
      const created = reply.messages.find((message) => /^_result \d+$/.test(message)) ?? "";
      const streamId = Number(created.split(" ")[1]);
      const play = flows.find(({ direction, metadata }) => direction === "out" && metadata?.streamId === streamId);
      expect(play?.messages[0]).toMatch(/^play cam/);
      expect(play?.answers).toBe(reply.id);
      for (const flow of media) {
        expect(flow.metadata?.streamId).toBe(streamId);
        expect(flow.answers).toBe(client.id);
      }
      expect(new Set(media.map(({ id }) => id)).size).toBe(3);
      await world.settle(Promise.all([camera.nc.close(), viewer.nc.close(), server.close()]), 200_000);
    },
  );

  it(
    ...rfc("V1-46", "R7425-5.4.1-04", "R7425-5.4.2-01", "R7425-5.4.2-02"),
    "between peers are a control flow that answers nothing, and the publisher's that answer it",
    async () => {
      const world = new SimWorld(7);
      const server = await startServer(world);
      const camera = makeClient(world, "camera");
      const viewer = logged(world, "viewer");
      await world.settle(Promise.all([camera.nc.connect(URL), viewer.nc.connect(URL)]), 5_000);
      const cam = new NetStream(camera.nc, NetStream.DIRECT_CONNECTIONS);
      await world.settle(cam.publish("cam"), 5_000);
      const view = new NetStream(viewer.nc, camera.nc.nearID);
      await world.settle(view.play("cam"), 10_000);
      cam.writeTag({ type: "audio", timestamp: 0, data: Uint8Array.of(0x2f, 1) });
      cam.writeTag({ type: "video", timestamp: 0, data: Uint8Array.of(0x12, 1) });
      await world.runAsync(1_000);
      const flows = viewer.wire.flows().filter(({ peer }) => peer !== "198.51.100.1:1935");
      const [control, ...others] = flows.filter(({ direction }) => direction === "out");
      expect(others).toEqual([]);
      expect(control?.messages).toEqual(["play cam"]);
      expect(control?.answers).toBeUndefined();
      expect(control?.metadata?.streamId).toBeGreaterThan(0);
      const returned = flows.filter(({ direction }) => direction === "in");
      expect(returned.map(({ messages }) => messages)).toEqual([
        ["streamBegin", "onStatus NetStream.Play.Reset", "onStatus NetStream.Play.Start"],
        ["audio"],
        ["video"],
      ]);
      for (const flow of returned) {
        expect(flow.answers).toBe(control?.id);
        expect(flow.metadata?.streamId).toBe(control?.metadata?.streamId);
      }
      await world.settle(Promise.all([camera.nc.close(), viewer.nc.close(), server.close()]), 200_000);
    },
  );
});

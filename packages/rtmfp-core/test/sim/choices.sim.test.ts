/** Choices that the RFCs leave open, as seen from the far end. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { CLIENT_IDENTITY, SERVER_IDENTITY } from "../../src/crypto/index.ts";
import { ByteReader, ByteWriter } from "../../src/proto/bytes.ts";
import { decodePacket, encodePacket } from "../../src/proto/chunk/codec.ts";
import { type Chunk, ChunkType, type FragmentChunk } from "../../src/proto/chunk/types.ts";
import type { TraceRecord } from "../../src/proto/config.ts";
import { readOption } from "../../src/proto/option.ts";
import { STARTUP_HEADER } from "../../src/proto/packet.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { data, next, openScripted, Scripted, startup, textOf } from "./scripted.ts";
import { connect, endpointOn, numbered, type Pair, SERVER_ADDRESS } from "./support.ts";

const link = { latencyMs: 0, mtu: 9_000 };

function scripted(): { world: SimWorld; node: RawNode; far: Scripted } {
  const world = new SimWorld(1);
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  return { world, node, far: new Scripted(world.host("far", { link }), "far", node.address) };
}

const hello: Chunk = { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") };
const ping: Chunk = { type: ChunkType.ping, message: nameOf("x") };

/** A client and a server of the Flash profile whose server keeps what it sees. */
function watched(seed: number, datagramBytes?: number): { pair: Pair; records: TraceRecord[] } {
  const records: TraceRecord[] = [];
  const world = new SimWorld(seed);
  const size = datagramBytes === undefined ? {} : { datagramBytes };
  const trace = (record: TraceRecord): void => {
    records.push({ ...record, packet: record.packet.slice(), datagram: record.datagram.slice() });
  };
  const clientHost = world.host("client", { addresses: ["192.0.2.1"], link: { latencyMs: 10 } });
  const serverHost = world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
  const client = endpointOn(clientHost, CLIENT_IDENTITY, size);
  const server = endpointOn(serverHost, SERVER_IDENTITY, { ...size, port: SERVER_ADDRESS.port, trace });
  return { pair: { world, clientHost, serverHost, client, server }, records };
}

function chunksOf(record: TraceRecord): readonly (Chunk | undefined)[] {
  return decodePacket(record.packet)?.chunks ?? [];
}

describe("packets", () => {
  it(...rfc("AMB-05"), "of startup carry no timestamps, and those that come in them mean nothing", () => {
    const { world, node, far } = scripted();
    far.sendRaw(0, { ...STARTUP_HEADER, timestamp: 77, timestampEcho: 5 }, [hello]);
    world.run(10);
    const [answer] = far.take();
    expect(answer?.chunks.map(({ type }) => type)).toEqual([ChunkType.rHello]);
    expect([answer?.header.timestamp, answer?.header.timestampEcho]).toEqual([undefined, undefined]);
    const session = openScripted(world, node, far, "initiator");
    far.send(ping);
    world.run(1);
    expect(far.take()[0]?.header.timestampEcho).toBeUndefined();
    expect(session.stats.srtt).toBeUndefined();
  });

  it(...rfc("AMB-37"), "in the wrong mode leave no timestamp to be echoed", () => {
    const { world, node, far } = scripted();
    openScripted(world, node, far, "initiator");
    const wrong = far.mode === 1 ? 2 : 1;
    far.sendRaw(far.farId, { ...STARTUP_HEADER, mode: wrong, timestamp: 77 }, [ping]);
    world.run(1);
    expect(far.take()).toEqual([]);
    expect(node.endpoint.stats.badMode).toBe(1);
    far.send(ping);
    world.run(1);
    expect(far.take()[0]?.header.timestampEcho).toBeUndefined();
    far.header = { timestamp: 78 };
    far.send(ping);
    world.run(1);
    expect(far.take()[0]?.header.timestampEcho).toBe(78);
  });

  it(...rfc("AMB-08"), "that are cut in fragments hold flags and chunks, no padding, checksum or number", async () => {
    const { pair, records } = watched(1, 500);
    await connect(pair);
    const parts = records
      .filter(({ direction }) => direction === "in")
      .flatMap(chunksOf)
      .filter((chunk): chunk is FragmentChunk => chunk?.type === ChunkType.fragment && "packetId" in chunk);
    expect(parts.length).toBeGreaterThan(1);
    const whole = new Uint8Array(parts.sort((a, b) => a.index - b.index).flatMap(({ data }) => [...data]));
    const packet = decodePacket(whole);
    expect(packet?.header).toMatchObject({ mode: 3, timestamp: undefined, timestampEcho: undefined });
    expect(packet?.chunks.map((chunk) => chunk?.type)).toEqual([ChunkType.iiKeying]);
    expect(packet?.padding).toHaveLength(0);
  });

  it(...rfc("AMB-08"), "that were padded before they were cut are taken too", () => {
    for (const padding of [0x00, 0xff]) {
      const { world, far } = scripted();
      const writer = new ByteWriter(new Uint8Array(200));
      encodePacket(writer, STARTUP_HEADER, [hello]);
      const packet = new Uint8Array(writer.pos + 13).fill(padding);
      packet.set(writer.bytes.subarray(0, writer.pos));
      const parts = [packet.subarray(0, 9), packet.subarray(9)];
      for (const [index, part] of parts.entries())
        far.sendStartup(0, { type: ChunkType.fragment, more: index === 0, packetId: 4, index, data: part });
      world.run(10);
      expect(far.take().flatMap(({ chunks }) => chunks.map(({ type }) => type))).toEqual([ChunkType.rHello]);
    }
  });

  it(...rfc("AMB-25"), "have 1200 bytes at first, or what the settings say, and use what they have", async () => {
    for (const size of [undefined, 900]) {
      const { pair } = watched(2, size);
      const { near, far } = await connect(pair);
      far.onFlow = (flow) => {
        flow.onMessage = () => {};
      };
      const capture = pair.world.capture(({ event, sender }) => event === "sent" && sender === "client");
      const flow = near.openFlow("bulk");
      flow.write(new Uint8Array(100_000));
      await pair.world.settle(flow.close(), 20_000);
      const sizes = capture.records.map(({ bytes }) => bytes.length);
      const first = sizes.slice(0, 8);
      expect(Math.max(...first)).toBeLessThanOrEqual(size ?? 1_200);
      expect(Math.max(...first)).toBeGreaterThan((size ?? 1_200) - 16);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(size ?? 1_472);
    }
  });
});

describe("the ID of a session that is being opened", () => {
  it(...rfc("AMB-09"), "goes with the default key until it is open, and with the session's from then on", async () => {
    const { pair, records } = watched(3);
    const stats = pair.client.stats;
    let pings = 0;
    pair.server.onSession = (session) => {
      session.ping();
      pings++;
    };
    // The answer to the keying is lost at first, what the server sends after it is not.
    const sent = (chunk: Chunk["type"]): TraceRecord[] =>
      records.filter((record) => record.direction === "out" && chunksOf(record).some((each) => each?.type === chunk));
    let lost = false;
    pair.world.filter(({ sender, bytes }) => {
      const answer = sent(ChunkType.riKeying)[0];
      if (lost || sender !== "server" || answer?.datagram.length !== bytes.length) return undefined;
      lost = true;
      return "drop";
    });
    const opening = pair.client.connect(SERVER_ADDRESS);
    await pair.world.runUntilAsync(() => pings > 0 && stats.badVerify + stats.badSize > 0, 1_000);
    expect([lost, stats.badVerify + stats.badSize, stats.sessionsOpened]).toEqual([true, 1, 0]);
    const session = await pair.world.settle(opening, 20_000);
    await pair.world.runAsync(500);
    const before = stats.badVerify + stats.badSize;
    const late = sent(ChunkType.riKeying).at(-1);
    if (late === undefined) throw new Error("no RIKeying");
    pair.serverHost.inject(SERVER_ADDRESS, late.peer, late.datagram);
    await pair.world.runAsync(500);
    expect(stats.badVerify + stats.badSize).toBe(before + 1);
    expect(session.isOpen).toBe(true);
  });
});

describe("a flow", () => {
  it(...rfc("AMB-28"), "keeps its metadata and association whatever options follow in Next User Data", () => {
    const { world, node, far } = scripted();
    const session = openScripted(world, node, far, "initiator");
    const own = session.openFlow(nameOf("own"));
    own.write(nameOf("x"));
    node.driver.wake();
    world.run(10);
    const messages: (string | undefined)[] = [];
    node.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept();
      if (event.type !== "readable") return;
      for (let message = event.flow.read(); message !== undefined; message = event.flow.read())
        messages.push(textOf(message.data));
    };
    far.take();
    far.send(
      data(3, 1, 1, { data: "a", options: startup("first") }),
      next({ data: "b", options: startup("other", own.id) }),
    );
    world.run(10);
    expect(messages).toEqual(["a", "b"]);
    const flow = node.told("flow")[0]?.flow;
    expect([textOf(flow?.metadata), flow?.association, flow?.state]).toEqual(["first", undefined, "RF_OPEN"]);
    expect(node.told("flow")).toHaveLength(1);
  });

  it(...rfc("AMB-29"), "goes by the first of several metadata options, and answers one flow at most", () => {
    const { world, node, far } = scripted();
    const session = openScripted(world, node, far, "initiator");
    const [one, two] = ["one", "two"].map((name) => {
      const flow = session.openFlow(nameOf(name));
      flow.write(nameOf("x"));
      return flow;
    });
    node.driver.wake();
    world.run(10);
    node.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept();
    };
    far.take();
    far.send(data(3, 1, 1, { data: "a", options: [...startup("first"), ...startup("second")] }));
    world.run(10);
    expect(node.told("flow").map(({ flow }) => textOf(flow.metadata))).toEqual(["first"]);
    expect(far.heard()).toEqual(["A 0-1"]);
    const options = [...startup("m", one?.id), ...startup("m", two?.id)];
    far.send(data(4, 1, 1, { data: "a", options }));
    world.run(10);
    expect(node.told("flow")).toHaveLength(1);
    expect(far.heard()).toEqual(["flowException", "A 0-1"]);
  });

  it(...rfc("AMB-68"), "may have longer metadata than we would send", () => {
    const { world, node, far } = scripted();
    const session = openScripted(world, node, far, "initiator");
    node.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept();
    };
    const long = "m".repeat(700);
    far.send(data(3, 1, 1, { data: "a", options: startup(long) }));
    world.run(10);
    expect(textOf(node.told("flow")[0]?.flow.metadata)).toBe(long);
    expect(far.heard()).toEqual(["A 0-1"]);
    expect(() => session.openFlow(new Uint8Array(513))).toThrow("512");
    expect(session.openFlow(new Uint8Array(512)).state).toBe("F_OPEN");
  });

  /** How long the sender and the receiver remember a flow that is complete; true ms. */
  function memory(clockRate: number): { sender: number; receiver: number } {
    const world = new SimWorld(1);
    const near = rawNode(world.host("near", { link, clockRate }), "near");
    const far = rawNode(world.host("far", { link }), "far", { port: 1935 });
    far.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept();
      if (event.type === "readable") while (event.flow.read() !== undefined);
    };
    const session = near.endpoint.open(near.driver.now(), nameOf("far"), {
      candidates: [{ address: far.address, via: 0 }],
    });
    world.run(100);
    const flow = session.openFlow(nameOf("short"));
    flow.write(nameOf("x"));
    flow.close();
    near.driver.wake();
    world.run(100);
    const received = far.told("flow")[0]?.flow;
    expect([flow.state, received?.state]).toEqual(["F_COMPLETE_LINGER", "RF_COMPLETE_LINGER"]);
    const start = world.now;
    let [sender, receiver] = [0, 0];
    while (sender === 0 || receiver === 0) {
      world.run(20);
      if (sender === 0 && flow.state === "F_CLOSED") sender = world.now - start;
      if (receiver === 0 && received?.state === "RF_CLOSED") receiver = world.now - start;
    }
    return { sender, receiver };
  }

  it(...rfc("V1-39"), "is forgotten by its receiver first, also if the sender's clock is 8 % fast", () => {
    for (const clockRate of [0.92, 1, 1.08]) {
      const { sender, receiver } = memory(clockRate);
      expect(sender).toBeGreaterThan(receiver);
    }
    // Where the margin ends, so that the comparison says something.
    const { sender, receiver } = memory(1.1);
    expect(sender).toBeLessThan(receiver);
  });

  it(...rfc("R7016-5-05"), "cannot be had again by replaying all its packets once it is forgotten", async () => {
    const { pair } = watched(4);
    const { near, far } = await connect(pair);
    let flows = 0;
    far.onFlow = (flow) => {
      flows++;
      flow.onMessage = () => {};
    };
    const capture = pair.world.capture(({ event, sender }) => event === "delivered" && sender === "client");
    const flow = near.openFlow("once");
    for (let i = 0; i < 20; i++) flow.write(numbered(i, 1_000));
    await pair.world.settle(flow.close(), 20_000);
    capture.stop();
    await pair.world.runAsync(140_000);
    const before = pair.server.stats.replayed;
    for (const { from, to, bytes } of capture.records) pair.clientHost.inject(from, to, bytes);
    await pair.world.runAsync(1_000);
    expect(capture.records.length).toBeGreaterThan(10);
    expect(pair.server.stats.replayed).toBe(before + capture.records.length);
    expect(flows).toBe(1);
    expect(far.isOpen).toBe(true);
  });
});

describe("what we send in handshakes", () => {
  it(...rfc("R7425-6-01"), "has no option codes but those of the RFC", async () => {
    const { pair, records } = watched(5);
    await connect(pair);
    const types = (bytes: Uint8Array): number[] => {
      const reader = new ByteReader(bytes);
      const found: number[] = [];
      while (reader.remaining > 0) found.push(readOption(reader)?.type ?? -1);
      expect(reader.failed).toBe(false);
      return found;
    };
    const certificate = [0x00, 0x0a, 0x0e, 0x15, 0x1d];
    const component = [0x0d, 0x0e, 0x1a, 0x1d, 0x1e];
    const seen = records.flatMap(chunksOf).flatMap((chunk): [number[], number[]][] => {
      if (chunk === undefined) return [];
      if (chunk.type === ChunkType.iHello && "epd" in chunk) return [[types(chunk.epd), [0x00, 0x0a, 0x0f]]];
      if (chunk.type === ChunkType.rHello && "cookie" in chunk) return [[types(chunk.certificate), certificate]];
      if (chunk.type === ChunkType.riKeying && "skrc" in chunk) return [[types(chunk.skrc), component]];
      if (chunk.type === ChunkType.iiKeying && "skic" in chunk)
        return [
          [types(chunk.certificate), certificate],
          [types(chunk.skic), component],
        ];
      return [];
    });
    expect(seen).toHaveLength(5);
    for (const [found, allowed] of seen) for (const type of found) expect(allowed).toContain(type);
  });
});

import { NetConnection, NetStream, type PeerStream } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { type NatKind, type SimHost, SimWorld } from "rtmfp-core/testing";
import type { Server } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { startServer } from "./support.ts";

/** The first segment is a developer key. */
const URL = "rtmfp://server.test/0123456789abcdef01234567-0123456789ab/";
const SECONDS = 20;
const FPS = 10;
/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;

/** One end of the call. */
interface End {
  readonly nc: NetConnection;
  readonly cam: NetStream;
  view: NetStream;
  readonly got: { tag: FlvTag; at: number }[];
  /** Handler, argument, and how many tags had come before. */
  readonly chat: [string, unknown, number][];
}

/** London and New Hampshire: a round trip of 80 to 120 ms, 1 % of the packets lost on the way. */
function makeEnd(world: SimWorld, name: string, kind: NatKind): NetConnection {
  const behind = world.nat(`${name}-nat`, { kind, link: { latencyMs: 10 } });
  const host: SimHost = world.host(name, { behind, link: { latencyMs: 10, jitterMs: 10, loss: 0.0025 } });
  return new NetConnection({
    carrier: () => host.open([{ port: 0 }]),
    clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
    random: (length) => host.random(length),
  });
}

/** 960x720 at 10 pictures a second and 1 Mbit/s, 50 sounds a second; the bytes are anything, as no codec has them. */
function* talk(world: SimWorld): Generator<FlvTag> {
  for (let timestamp = 0; timestamp < SECONDS * 1000; timestamp += 20) {
    const frame = timestamp / 100;
    if (Number.isInteger(frame)) {
      const isKey = frame % (FPS * 2) === 0;
      const body = world.random(isKey ? 60_000 : 10_000);
      body[0] = isKey ? 0x1f : 0x2f;
      yield { type: "video", timestamp, data: body };
    }
    yield { type: "audio", timestamp, data: world.random(80) };
  }
}

/** Both learn the other's ID by `relay`, then each publishes one stream, to the other alone, and plays the other's. */
async function call(
  world: SimWorld,
  kinds: readonly [NatKind, NatKind],
): Promise<{ server: Server; ends: [End, End] }> {
  const server = await startServer(world);
  const [alice, bob] = [makeEnd(world, "london", kinds[0]), makeEnd(world, "hampshire", kinds[1])];
  await world.settle(Promise.all([alice.connect(URL), bob.connect(URL)]), 30_000);
  const answered = new Promise<string>((resolve) => {
    alice.client = { onRelay: (sender: string, text: string) => resolve(`${sender} ${text}`) };
  });
  bob.client = { onRelay: (sender: string, text: string) => void bob.call("relay", null, sender, `${text} yourself`) };
  await world.settle(alice.call("relay", null, bob.nearID, "hello"), 5_000);
  expect(await world.settle(answered, 5_000)).toBe(`${bob.nearID} hello yourself`);
  const ends = [alice, bob].map((nc, i) => {
    const other = i === 0 ? bob : alice;
    const cam = new NetStream(nc, NetStream.DIRECT_CONNECTIONS);
    cam.client = { onPeerConnect: ({ farID }: PeerStream) => farID === other.nearID };
    const view = new NetStream(nc, other.nearID, { reorderMs: 0 });
    const end: End = { nc, cam, view, got: [], chat: [] };
    const note = (handler: string) => (argument: unknown) => end.chat.push([handler, argument, end.got.length]);
    view.client = { chat: note("chat"), onMetaData: note("onMetaData") };
    return end;
  }) as [End, End];
  for (const { cam } of ends) await world.settle(cam.publish("call"), 1_000);
  await world.settle(Promise.all(ends.map(({ view }) => view.play("call"))), 30_000);
  for (const { view, got } of ends)
    void (async () => {
      for await (const tag of view) got.push({ tag, at: world.now });
    })();
  return { server, ends };
}

/** Tags of one kind as values that are quick to compare. */
function ofKind(tags: readonly FlvTag[], type: FlvTag["type"]): string[] {
  return tags
    .filter((tag) => tag.type === type)
    .map(({ timestamp, data }) => `${timestamp} ${Buffer.from(data).toString("latin1")}`);
}

/** Every byte of sound, pictures and text comes both ways, and nothing by the server. */
async function talkThrough(kinds: readonly [NatKind, NatKind], seed: number): Promise<void> {
  const world = new SimWorld(seed);
  const { server, ends } = await call(world, kinds);
  // Who stands in the middle of two sessions has other nonces on either side.
  for (const [near, far] of [ends, [...ends].reverse() as [End, End]] as const) {
    const [peer] = near.cam.peerStreams;
    expect(near.cam.peerStreams).toHaveLength(1);
    expect([peer?.nearNonce, peer?.farNonce]).toEqual([far.view.farNonce, far.view.nearNonce]);
    expect([peer?.farID, far.view.farID]).toEqual([far.nc.nearID, near.nc.nearID]);
    expect(peer?.nearNonce).toMatch(/^[0-9a-f]{64}$/);
  }
  const startedAt = world.now;
  const said = ends.map(() => [...talk(world)]);
  const fed = ends.map(({ cam }, j) => cam.feed(said[j] as FlvTag[]));
  for (let second = 0; second < SECONDS; second++) {
    for (const { cam, nc } of ends) cam.send("chat", { second, from: nc.nearID, bytes: Uint8Array.of(second) });
    await world.runAsync(1_000);
  }
  const figures = ends.map(({ view }) => view.info);
  const results = await world.settle(Promise.all(fed), 10_000);
  await world.runAsync(1_000);
  for (const [j, { got, chat, nc }] of ends.entries()) {
    const other = ends[1 - j] as End;
    const sent = said[1 - j] as FlvTag[];
    expect(results[j]).toMatchObject({ delivered: sent.length, abandoned: 0 });
    const received = got.map(({ tag }) => tag);
    for (const type of ["audio", "video"] as const) expect(ofKind(received, type)).toEqual(ofKind(sent, type));
    expect(chat.map(([handler, argument]) => [handler, argument])).toEqual(
      Array.from({ length: SECONDS }, (_, second) => [
        "chat",
        { second, from: other.nc.nearID, bytes: Uint8Array.of(second) },
      ]),
    );
    // Text comes beside the media of its second, 60 tags of it.
    for (const [second, [, , before]] of chat.entries()) expect(Math.abs(before - second * 60)).toBeLessThan(60);
    const delays = got.filter(({ tag }) => tag.type === "audio").map(({ tag, at }) => at - startedAt - tag.timestamp);
    expect(Math.max(...delays)).toBeLessThan(700);
    expect(figures[j]?.SRTT).toBeGreaterThan(75);
    expect(figures[j]?.SRTT).toBeLessThan(160);
    expect(nc.connected).toBe(true);
  }
  expect(server.stats.mediaMessages).toBe(0);
  await world.settle(Promise.all([...ends.map(({ nc }) => nc.close()), server.close()]), 200_000);
}

describe("a call between London and New Hampshire", () => {
  it(
    ...rfc("V-1", "V-2", "V-5", "V-6", "V-7", "V-9", "C-7"),
    "brings every byte of sound, pictures and text both ways through two cones, and nothing by the server",
    () => talkThrough(["full-cone", "full-cone"], 40),
    TIMEOUT_MS,
  );

  it(
    ...rfc("V-5", "V-6", "V-9"),
    "does so through a cone that knows ports and one that knows addresses",
    () => talkThrough(["port-restricted-cone", "restricted-cone"], 41),
    TIMEOUT_MS,
  );

  it(
    ...rfc("V-5", "V-6", "V-9"),
    "does so through a symmetric NAT and a cone",
    () => talkThrough(["symmetric", "full-cone"], 42),
    TIMEOUT_MS,
  );

  it(...rfc("V-3"), "is heard by nobody else who knows the ID", async () => {
    const world = new SimWorld(50);
    const { server, ends } = await call(world, ["full-cone", "full-cone"]);
    const eve = makeEnd(world, "eve", "full-cone");
    await world.settle(eve.connect(URL), 30_000);
    const codes: string[] = [];
    eve.on("status", ({ code }) => codes.push(code));
    const ear = new NetStream(eve, ends[0].nc.nearID);
    await expect(world.settle(ear.play("call"), 30_000)).rejects.toMatchObject({ code: "NetStream.Connect.Rejected" });
    const heard: FlvTag[] = [];
    void (async () => {
      for await (const tag of ear) heard.push(tag);
    })();
    await world.settle(ends[0].cam.feed([...talk(world)].slice(0, 100)), 30_000);
    expect([heard, codes, ends[0].cam.peerStreams.length]).toEqual([
      [],
      ["NetStream.Connect.Success", "NetStream.Connect.Rejected"],
      1,
    ]);
    expect(ends[1].got).toHaveLength(100);
    await world.settle(Promise.all([eve.close(), ...ends.map(({ nc }) => nc.close()), server.close()]), 200_000);
  });

  it(...rfc("V-6"), "tells everybody with the same key by one broadcast", async () => {
    const world = new SimWorld(51);
    const { server, ends } = await call(world, ["full-cone", "full-cone"]);
    const told: unknown[][] = ends.map(() => []);
    for (const [i, { nc }] of ends.entries()) nc.client = { onRelay: (...args: unknown[]) => told[i]?.push(args) };
    await world.settle(ends[0].nc.call("broadcast", null, "who is there?", { n: 1 }), 5_000);
    await world.runAsync(1_000);
    const expected = [[ends[0].nc.nearID, "who is there?", { n: 1 }]];
    expect(told).toEqual([expected, expected]);
    await world.settle(Promise.all([...ends.map(({ nc }) => nc.close()), server.close()]), 200_000);
  });

  it(
    ...rfc("V-8"),
    "of five parties needs four connections each; fewer allowed drops none, and lets none in",
    async () => {
      const world = new SimWorld(52);
      const server = await startServer(world);
      const parties = ["a", "b", "c", "d", "e", "f"].map((name) => makeEnd(world, name, "full-cone"));
      await world.settle(Promise.all(parties.map((nc) => nc.connect(URL))), 30_000);
      expect(parties[0]?.maxPeerConnections).toBe(8);
      const five = parties.slice(0, 5);
      const cams = five.map((nc) => new NetStream(nc, NetStream.DIRECT_CONNECTIONS));
      for (const cam of cams) await cam.publish("call");
      const plays = five.flatMap((nc) =>
        five.filter((other) => other !== nc).map((other) => new NetStream(nc, other.nearID).play("call")),
      );
      expect(plays).toHaveLength(20);
      await world.settle(Promise.all(plays), 60_000);
      expect(five.map((nc) => nc.core.peers.count)).toEqual([4, 4, 4, 4, 4]);
      expect(cams.map((cam) => cam.peerStreams.length)).toEqual([4, 4, 4, 4, 4]);
      const [first, sixth] = [five[0] as NetConnection, parties[5] as NetConnection];
      first.maxPeerConnections = 2;
      await world.runAsync(30_000);
      expect([first.core.peers.count, cams[0]?.peerStreams.length]).toEqual([4, 4]);
      const late = new NetStream(sixth, first.nearID);
      await expect(world.settle(late.play("call"), 120_000)).rejects.toMatchObject({
        code: "NetStream.Connect.Rejected",
      });
      const own = new NetStream(first, sixth.nearID);
      await expect(world.settle(own.play("call"), 120_000)).rejects.toMatchObject({
        code: "NetStream.Connect.Failed",
        message: expect.stringContaining("would exceed the 2 connections of maxPeerConnections"),
      });
      await world.settle(Promise.all([...parties.map((nc) => nc.close()), server.close()]), 200_000);
    },
  );
});

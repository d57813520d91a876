import { getEventListeners } from "node:events";
import { type NetConnection, NetStream, type NetStreamOptions } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { SimWorld } from "rtmfp-core/testing";
import type { Server } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { collect, makeClient, startServer, URL } from "./support.ts";

/** A server and two clients. */
interface Scene {
  readonly world: SimWorld;
  readonly server: Server;
  readonly alice: NetConnection;
  readonly bob: NetConnection;
}

async function makeScene(seed: number): Promise<Scene> {
  const world = new SimWorld(seed);
  const server = await startServer(world);
  server.application("app", () => ({}));
  const [alice, bob] = [makeClient(world, "alice").nc, makeClient(world, "bob").nc];
  await world.settle(Promise.all([alice.connect(URL), bob.connect(URL)]), 5_000);
  return { world, server, alice, bob };
}

async function end({ world, server, alice, bob }: Scene): Promise<void> {
  await world.settle(Promise.all([alice.close(), bob.close(), server.close()]), 200_000);
}

/** A publisher of alice's and a viewer of bob's, by the server or directly; and what the viewer's stream told. */
async function pair(
  { world, alice, bob }: Scene,
  way: "server" | "peer",
  options: NetStreamOptions = {},
): Promise<{ cam: NetStream; view: NetStream; got: FlvTag[]; codes: string[] }> {
  const cam = new NetStream(alice, way === "peer" ? NetStream.DIRECT_CONNECTIONS : null);
  await world.settle(cam.publish("cam"), 5_000);
  const view = new NetStream(bob, way === "peer" ? alice.nearID : null, { reorderMs: 0, ...options });
  const codes: string[] = [];
  view.on("status", ({ code }) => codes.push(code.replace("NetStream.", "")));
  const got = collect(view);
  return { cam, view, got, codes };
}

const audio = (timestamp: number): FlvTag => ({ type: "audio", timestamp, data: Uint8Array.of(0xaf, 1, timestamp) });
const key = (timestamp: number): FlvTag => ({ type: "video", timestamp, data: Uint8Array.of(0x17, 1, timestamp) });
const delta = (timestamp: number): FlvTag => ({ type: "video", timestamp, data: Uint8Array.of(0x27, 1, timestamp) });

for (const way of ["server", "peer"] as const) {
  describe(`a stream by the ${way}`, () => {
    it("pauses, and goes on with sound at once and pictures at the next key frame", async () => {
      const scene = await makeScene(1);
      const { world } = scene;
      const { cam, view, got, codes } = await pair(scene, way);
      await world.settle(view.play("cam"), 5_000);
      view.pause();
      view.pause();
      await world.runAsync(200);
      for (const tag of [audio(1), key(2)]) cam.writeTag(tag);
      await world.runAsync(200);
      view.togglePause();
      await world.runAsync(200);
      for (const tag of [audio(3), delta(4), key(5), delta(6)]) cam.writeTag(tag);
      await world.runAsync(1_500);
      view.resume();
      expect(got.map(({ timestamp }) => timestamp)).toEqual([3, 5, 6]);
      expect(codes.slice(-2)).toEqual(["Pause.Notify", "Unpause.Notify"]);
      expect(view.time).toBe(0.006);
      await end(scene);
    });

    it("leaves out what is not wanted, said before playing or later, a pause between or not", async () => {
      const scene = await makeScene(2);
      const { world } = scene;
      const { cam, view, got } = await pair(scene, way);
      view.receiveAudio(false);
      await world.settle(view.play("cam"), 5_000);
      await world.runAsync(200);
      const tags = async (from: number): Promise<void> => {
        for (const tag of [audio(from), key(from + 1)]) cam.writeTag(tag);
        await world.runAsync(1_500);
      };
      await tags(10);
      view.pause();
      view.receiveVideoFPS(0);
      view.receiveAudio(true);
      await world.runAsync(200);
      await tags(20);
      view.resume();
      await world.runAsync(200);
      await tags(30);
      view.receiveVideoFPS(25);
      await world.runAsync(200);
      await tags(40);
      expect(got.map(({ timestamp }) => timestamp)).toEqual([11, 30, 40, 41]);
      await end(scene);
    });

    it("changes to another stream while it is read, and back by play2", async () => {
      const scene = await makeScene(3);
      const { world, alice } = scene;
      const { cam, view, got } = await pair(scene, way);
      const other = new NetStream(alice, way === "peer" ? NetStream.DIRECT_CONNECTIONS : null);
      await world.settle(other.publish("other"), 5_000);
      const send = async (from: number): Promise<void> => {
        cam.writeTag(audio(from));
        other.writeTag(audio(from + 100));
        await world.runAsync(1_500);
      };
      await world.settle(view.play("cam"), 5_000);
      await send(1);
      expect(await world.settle(view.play("other", -1), 5_000)).toMatchObject({ code: "NetStream.Play.Start" });
      await send(2);
      await world.settle(view.play2({ streamName: "cam", oldStreamName: "other", transition: "switch" }), 5_000);
      await send(3);
      expect([view.info.resourceName, view.info.isLive]).toEqual(["cam", true]);
      expect(await world.settle(view.play2({ streamName: "cam", transition: "stop" }), 5_000)).toMatchObject({
        code: "NetStream.Play.Stop",
      });
      await send(4);
      expect(got.map(({ timestamp }) => timestamp)).toEqual([1, 102, 3]);
      expect([view.info.isLive, cam.peerStreams.length, other.peerStreams.length]).toEqual([false, 0, 0]);
      await end(scene);
    });

    it("has figures: bytes, rates, codecs, round trips, metadata", async () => {
      const scene = await makeScene(4);
      const { world, alice, bob } = scene;
      const { cam, view } = await pair(scene, way);
      const meta: unknown[] = [];
      const errors: unknown[] = [];
      view.client = { onMetaData: (data: unknown) => meta.push(data) };
      view.on("asyncError", (error) => errors.push((error as Error).message));
      await world.settle(view.play("cam"), 5_000);
      cam.send("onMetaData", { width: 320 });
      cam.send("onCuePoint", { name: "one" });
      for (let i = 0; i < 100; i++) {
        cam.writeTag({ type: "audio", timestamp: i * 40, data: new Uint8Array(100).fill(0xaf) });
        cam.writeTag({ type: "video", timestamp: i * 40, data: new Uint8Array(900).fill(0x17) });
        await world.runAsync(40);
      }
      await world.runAsync(100);
      for (const stream of [cam, view]) {
        const { info } = stream;
        expect([info.audioByteCount, info.videoByteCount]).toEqual([10_000, 90_000]);
        expect(info.byteCount).toBe(100_000 + info.dataByteCount);
        expect(stream.bytesLoaded).toBe(info.byteCount);
        for (const [rate, expected] of [
          [info.audioBytesPerSecond, 2_500],
          [info.videoBytesPerSecond, 22_500],
          [info.currentBytesPerSecond, 25_000],
          [info.playbackBytesPerSecond, 25_000],
          [stream.currentFPS, 25],
        ] as const)
          expect(Math.abs(rate / expected - 1)).toBeLessThan(0.15);
        expect(info.maxBytesPerSecond).toBeGreaterThanOrEqual(info.currentBytesPerSecond);
        expect([stream.audioCodec, stream.videoCodec, stream.time, stream.bytesTotal]).toEqual([10, 7, 3.96, 0]);
        expect(info).toMatchObject({ uri: URL, resourceName: "cam", isLive: true, audioLossRate: 0, videoLossRate: 0 });
        // Alice and bob are 30 ms apart each way, 25 ms from the server.
        expect(info.SRTT).toBeGreaterThan(40);
        expect(info.SRTT).toBeLessThan(120);
        expect(stream.objectEncoding).toBe(alice.objectEncoding);
      }
      expect([meta, view.info.metaData]).toEqual([[{ width: 320 }], { width: 320 }]);
      expect(errors).toEqual(['the far end called "onCuePoint", which the client object does not have']);
      expect(bob.connected).toBe(true);
      await end(scene);
    });

    for (const reliable of [true, false])
      it(`tells what was lost of ${reliable ? "reliable media: nothing" : "media that need not arrive"}`, async () => {
        const scene = await makeScene(9);
        const { world } = scene;
        const { cam, view, got } = await pair(scene, way);
        cam.audioReliable = reliable;
        cam.videoReliable = reliable;
        await world.settle(view.play("cam"), 5_000);
        const send = async (from: number, count: number): Promise<void> => {
          for (let i = from; i < from + count; i++) {
            cam.writeTag({ ...audio(i), timestamp: i * 40 });
            cam.writeTag({ ...(i % 25 === 0 ? key(i) : delta(i)), timestamp: i * 40 });
            await world.runAsync(40);
          }
        };
        await send(0, 100);
        const cut = world.filter(() => "drop");
        await send(100, 100);
        cut();
        await send(200, 50);
        await world.runAsync(10_000);
        const { audioLossRate, videoLossRate, droppedFrames } = cam.info;
        const lost = got.filter(({ type }) => type === "video").length - 250;
        if (reliable) expect([audioLossRate, videoLossRate, droppedFrames, lost]).toEqual([0, 0, 0, 0]);
        else {
          expect(audioLossRate).toBeGreaterThan(0.2);
          expect(audioLossRate).toBeLessThan(0.5);
          expect(videoLossRate).toBeGreaterThan(0.2);
          expect(droppedFrames).toBeGreaterThan(50);
          expect(lost).toBeLessThan(-50);
        }
        const played = view.info;
        // A server passes on what it has got: its player misses nothing that was sent to it.
        if (reliable || way === "server")
          expect([played.audioLossRate, played.videoLossRate, played.droppedFrames]).toEqual([0, 0, 0]);
        else {
          expect(played.droppedFrames).toBeGreaterThan(0);
          expect(played.videoLossRate).toBeGreaterThan(0);
        }
        await end(scene);
      });

    it("is closed when close is called, however far it has come, and may begin anew at once", async () => {
      const scene = await makeScene(11);
      const { world } = scene;
      const { cam, view } = await pair(scene, way);
      const outcomes = new Set<string>();
      const note = (promise: Promise<{ code: string }>): Promise<unknown> =>
        promise.then(
          ({ code }) => outcomes.add(code),
          ({ code }) => outcomes.add(code),
        );
      for (let ms = 0; ms < 200; ms += 9) {
        const done = [note(view.play("cam")), note(cam.publish(null).then(() => cam.publish("cam")))];
        await world.runAsync(ms);
        await world.settle(Promise.all([view.close(), cam.close()]), 5_000);
        await world.settle(Promise.all(done), 5_000);
        expect([view.info.isLive, cam.isPublishing]).toEqual([false, false]);
      }
      expect([...outcomes].sort()).toEqual(expect.arrayContaining(["NetStream.Play.Start", "NetStream.Publish.Start"]));
      await world.settle(cam.publish("cam"), 5_000);
      expect((await world.settle(view.play("cam"), 5_000)).code).toBe("NetStream.Play.Start");
      await world.runAsync(20_000);
      expect(cam.peerStreams).toHaveLength(way === "peer" ? 1 : 0);
      await end(scene);
    });

    it("is attached to another connection, and ends for good when it is disposed of", async () => {
      const scene = await makeScene(5);
      const { world, alice, bob } = scene;
      const { cam } = await pair(scene, way);
      const codes: string[] = [];
      cam.on("status", ({ code }) => codes.push(code));
      await world.settle(cam.attach(bob), 5_000);
      expect(codes).toEqual(["NetStream.Unpublish.Success"]);
      await world.settle(cam.publish("again"), 5_000);
      const view = new NetStream(alice, way === "peer" ? bob.nearID : null);
      await world.settle(view.play("again"), 5_000);
      await world.settle(view.dispose(), 5_000);
      await expect(view.play("again")).rejects.toThrow("this stream is disposed of: make another");
      await world.settle(cam.publish(null), 5_000);
      expect(codes.slice(-2)).toEqual(["NetStream.Publish.Start", "NetStream.Unpublish.Success"]);
      await end(scene);
    });

    it("is not both published and played, and refuses what Adobe does not have, in one line", async () => {
      const scene = await makeScene(6);
      const { alice } = scene;
      const { cam, view } = await pair(scene, way);
      await expect(cam.publish("cam")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
      await expect(cam.play("cam")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
      const bad: [() => Promise<unknown>, string][] = [
        [() => view.play(7 as never), "play: expected a name, got 7"],
        [() => view.play("cam", "live" as never), "play: expected start in seconds, got live"],
        [() => view.play("cam", -2, Number.NaN), "play: expected len in seconds, got NaN"],
        [() => view.play("cam", -2, -1, "yes" as never), "play: expected true or false for reset, got yes"],
        [async () => view.play2({ streamName: "cam", transition: "jump" as never }), 'play2: "jump" is no transition'],
        [() => view.publish(undefined as never), "publish: expected a name, got undefined"],
        [
          () => view.publish("x", "later" as never),
          'publish: expected live, record, append, appendWithGap, got "later"',
        ],
        [async () => cam.writeTag(undefined as never), "writeTag: expected a tag { type: "],
        [
          async () => cam.writeTag({ ...audio(0), type: 8 as never }),
          "writeTag: expected a type of audio, video or data, got 8",
        ],
        [async () => cam.writeTag(audio(-1)), "writeTag: expected a timestamp from 0 to 2^32 - 1 ms, got -1"],
        [
          async () => cam.writeTag({ ...audio(0), data: "x" as never }),
          'writeTag: expected data in a Uint8Array, got "x"',
        ],
        [
          async () => cam.writeTag({ ...audio(0), data: new Uint8Array(2 ** 24) }),
          "writeTag: expected data of at most 16777215 bytes, as RTMP can carry, got 16777216",
        ],
        [async () => new NetStream(alice, null, { addresses: ["home"] }), 'got "home"'],
      ];
      for (const [run, line] of bad) {
        const refused = expect(run()).rejects;
        await refused.toMatchObject({ code: "BAD_ARGUMENT", message: expect.stringContaining(line) });
      }
      if (way === "peer")
        await expect(new NetStream(alice, NetStream.DIRECT_CONNECTIONS).publish("x", "record")).rejects.toThrow(
          /peers do not record/,
        );
      await end(scene);
    });
  });
}

describe("consent", () => {
  it(
    ...rfc("V-3"),
    "is refused by false, now or later, and by a handler that fails, of which the publisher hears",
    async () => {
      const scene = await makeScene(10);
      const { world, alice, bob } = scene;
      const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
      const errors: unknown[] = [];
      cam.on("asyncError", (error) => errors.push((error as Error).message));
      await cam.publish("cam");
      const outcomes: string[] = [];
      const answers: (() => unknown)[] = [
        () => false,
        () => world.sleep(3_000).then(() => false),
        () => {
          throw new Error("oops");
        },
        () => Promise.reject(new Error("oops later")),
        () => undefined,
        () => world.sleep(3_000).then(() => true),
      ];
      for (const answer of answers) {
        cam.client = { onPeerConnect: answer };
        const view = new NetStream(bob, alice.nearID);
        const play = view.play("cam").then(
          ({ code }) => code,
          ({ code }) => code,
        );
        outcomes.push(await world.settle(play, 10_000));
      }
      const [no, yes] = ["NetStream.Connect.Rejected", "NetStream.Play.Start"];
      expect(outcomes).toEqual([no, no, no, no, yes, yes]);
      expect([errors, cam.peerStreams.length]).toEqual([["oops", "oops later"], 2]);
      await end(scene);
    },
  );
});

describe("seek", () => {
  for (const way of ["server", "peer"] as const) {
    it(`fails in a live stream by the ${way}, and before the beginning of any`, async () => {
      const scene = await makeScene(7);
      const { world } = scene;
      const { view, codes } = await pair(scene, way);
      view.seek(1);
      expect(codes).toEqual([]);
      await world.settle(view.play("cam"), 5_000);
      view.seek(3);
      await world.runAsync(200);
      view.seek(-1);
      expect(codes.slice(-2)).toEqual(["Seek.Failed", "Seek.InvalidTime"]);
      await end(scene);
    });
  }
});

describe("a stream whose server does not answer", () => {
  for (const command of ["createStream", "play", "publish"] as const) {
    it(`fails in time, in one line, for want of an answer to ${command}, and leaves nothing behind`, async () => {
      const world = new SimWorld(8);
      const server = await startServer(world);
      const never = (): Promise<void> => new Promise(() => {});
      server.application("app", () => ({ onPublish: never, onPlay: never }));
      const { nc } = makeClient(world, "alice", undefined, { timeoutMs: 5_000 });
      await world.settle(nc.connect(URL), 5_000);
      const { signal } = new AbortController();
      const stream = new NetStream(nc, null, { signal });
      const lift = command === "createStream" ? world.filter(() => "drop") : () => {};
      const doing = command === "publish" ? stream.publish("cam") : stream.play("cam");
      const error = await world.settle(doing, 20_000).catch((reason) => reason);
      const message = `the server did not answer "${command}" within 5 s`;
      expect(error).toMatchObject({ code: "NetStream.Failed", message, info: { level: "error" } });
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
      lift();
      await world.runAsync(5_000);
      expect([stream.info.isLive, nc.core.hasStream(1)]).toEqual([false, false]);
      await world.settle(Promise.all([nc.close(), server.close()]), 200_000);
    });
  }
});

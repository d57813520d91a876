import { encodeFlv, type FlvTag } from "rtmfp-core/flv";
import { encodeMessage, MessageType } from "rtmfp-core/tc";
import type { LinkOptions } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { camera, serialOf } from "../../../test/support/camera.ts";
import { it, rfc } from "../../../test/support/rfc.ts";
import { type Seen, Watch } from "../../../test/support/watch.ts";
import { lifetimesOf } from "../src/stream-lifetimes.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

const GROUP = 20;
const FPS = 10;

/** A client that plays `name`, on a link that carries as much as `down` says from then on. */
async function makeViewer(sim: SimServer, name: string, down: Partial<LinkOptions> = {}): Promise<TestClient> {
  const client = await sim.open();
  await sim.run(client.connect("key"));
  await sim.run(client.play(name));
  sim.hosts.at(-1)?.link.down.set(down);
  return client;
}

/** Publishes the camera in time; returns what each viewer saw, as it came. */
async function publish(
  sim: SimServer,
  viewers: readonly TestClient[],
  seconds: number,
  bitsPerSecond: number,
): Promise<Seen[]> {
  const publisher = await sim.connect();
  const id = await sim.run(publisher.publish("cam"));
  const startedAt = sim.world.now;
  const eyes = viewers.map(() => new Watch(GROUP));
  const seenBefore = viewers.map(({ got }) => got.length);
  const look = (): void => {
    for (const [i, viewer] of viewers.entries()) {
      for (const got of viewer.got.slice(seenBefore[i])) {
        if (got.kind !== "audio" && got.kind !== "video") continue;
        const tag = { type: got.kind, timestamp: got.message.timestamp, data: got.message.payload };
        eyes[i]?.see(tag, sim.world.now, startedAt);
      }
      seenBefore[i] = viewer.got.length;
    }
  };
  for (const tag of camera({ seconds, bitsPerSecond, fps: FPS, group: GROUP })) {
    const due = startedAt + tag.timestamp - sim.world.now;
    if (due > 0) await sim.pass(due);
    if (tag.type !== "data") publisher.media(id, tag.type, tag.timestamp, tag.data);
    look();
  }
  for (let i = 0; i < 100; i++) {
    await sim.pass(50);
    look();
  }
  return eyes.map((each) => each.figures(seconds * FPS));
}

describe("a live stream", () => {
  it(
    ...rfc("F-9", "O-6"),
    "stays live: who is too slow loses groups of pictures, nobody else anything, and late media is not sent",
    async () => {
      const sim = await new SimServer().listen();
      const fast = await makeViewer(sim, "cam");
      const slow = await makeViewer(sim, "cam", { bitsPerSecond: 600_000, queueBytes: 20_000 });
      const [atFast, atSlow] = (await publish(sim, [fast, slow], 40, 1_000_000)) as [Seen, Seen];
      expect(atFast).toMatchObject({ pictures: 400, missingSounds: 0, brokenGroups: 0 });
      expect(atFast.worstDelayMs).toBeLessThan(400);
      expect(atSlow.brokenGroups).toBeGreaterThan(4);
      expect(atSlow.keyFrames).toBeGreaterThan(10);
      expect(atSlow.missingSounds).toBe(0);
      // The lifetime of pictures, its margin, and what is under way.
      expect(atSlow.worstDelayMs).toBeLessThan(3_000);
      expect(sim.server.stats.droppedMessages).toBeGreaterThanOrEqual(400 - atSlow.pictures);
    },
  );

  it(...rfc("O-6"), "waits for a subscriber as long as the name that it plays says", async () => {
    const sim = await new SimServer().listen();
    const narrow = { bitsPerSecond: 600_000, queueBytes: 20_000 };
    const patient = await makeViewer(sim, "cam?videoLifetime=6&audioLifetime=6", narrow);
    const hasty = await makeViewer(sim, "cam?videoLifetime=0.4;finishByMargin=0.1", narrow);
    const newest = await makeViewer(sim, "cam?expirePreviousGop&previousGopStartByMargin=0", narrow);
    const seen = await publish(sim, [patient, hasty, newest], 40, 1_000_000);
    const [atPatient, atHasty, atNewest] = seen as [Seen, Seen, Seen];
    expect(atPatient.worstDelayMs).toBeGreaterThan(4_000);
    expect(atHasty.worstDelayMs).toBeLessThan(1_500);
    expect(atNewest.keyFrames).toBe(20);
    expect(atNewest.meanDelayMs).toBeLessThan(atPatient.meanDelayMs / 2);
  });

  it(...rfc("O-6"), "takes tcserver's parameters, in seconds, up to ten of them", () => {
    const of = (query: string) => lifetimesOf(new Map(new URLSearchParams(query)));
    const usual = {
      ...{ audioMs: 2_200, videoMs: 2_000, dataMs: Number.POSITIVE_INFINITY },
      ...{ finishMarginMs: 250, previousGroupMs: Number.POSITIVE_INFINITY },
    };
    expect(of("")).toEqual(usual);
    expect(of("audioLifetime=x&videoLifetime=-1&finishByMargin=&expirePreviousGop=no")).toEqual(usual);
    expect(of("audioLifetime=0.25&videoLifetime=99&finishByMargin=0")).toEqual({
      ...usual,
      ...{ audioMs: 250, videoMs: 10_000, finishMarginMs: 0 },
    });
    expect(of("expirePreviousGop")).toEqual({ ...usual, previousGroupMs: 100 });
    expect(of("expirePreviousGop=yes&previousGopStartByMargin=0.5")).toEqual({ ...usual, previousGroupMs: 500 });
  });

  it("passes no picture on whose group the publisher has given up, and the sound meanwhile", async () => {
    const sim = await new SimServer().listen();
    const viewer = await makeViewer(sim, "cam");
    const publisher = await sim.connect();
    const id = await sim.run(publisher.publish("cam"));
    const say = (type: "audio" | "video", timestamp: number, first: number) =>
      publisher.flow(id, type).write(encodeMessage(MessageType[type], timestamp, Uint8Array.of(first, 1, 0, 0, 0)));
    say("video", 0, 0x17);
    say("video", 40, 0x27).abandon();
    say("audio", 60, 0xaf);
    say("video", 80, 0x27);
    say("video", 120, 0x17);
    say("video", 160, 0x27);
    await sim.pass(500);
    expect([...viewer.timeline].sort()).toEqual(["audio 60", "video 0", "video 120", "video 160"]);
    expect(sim.server.stats.droppedMessages).toBe(1);
  });

  it("takes aggregates of its publisher apart, and sends none", async () => {
    const sim = await new SimServer().listen();
    const viewer = await makeViewer(sim, "cam");
    const publisher = await sim.connect();
    const id = await sim.run(publisher.publish("cam"));
    const tags: FlvTag[] = [...camera({ seconds: 1, bitsPerSecond: 200_000 })].slice(1, 7);
    const payload = encodeFlv(tags).subarray(13);
    publisher.flow(id, "all").write(encodeMessage(MessageType.aggregate, 5_000, payload));
    await sim.pass(500);
    const got = viewer.got.flatMap((each) => (each.kind === "audio" || each.kind === "video" ? [each] : []));
    expect(got).toHaveLength(6);
    for (const kind of ["audio", "video"] as const) {
      const [now, then] = [got.filter((each) => each.kind === kind), tags.filter((tag) => tag.type === kind)];
      expect(now.map(({ message }) => message.timestamp - 5_000)).toEqual(then.map(({ timestamp }) => timestamp));
      expect(now.map(({ message }) => serialOf({ type: kind, timestamp: 0, data: message.payload }))).toEqual(
        then.map(serialOf),
      );
    }
  });
});

import type { FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { camera, serialOf } from "../../../../test/support/camera.ts";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Seen, Watch } from "../../../../test/support/watch.ts";
import { type FeedResult, type NetConnection, NetStream } from "../../src/index.ts";
import { makeScene, type Scene } from "../support/scene.ts";

const GROUP = 20;
const FPS = 10;
/** What a viewer's link carries when it carries too little. */
const NARROW = { bitsPerSecond: 500_000, queueBytes: 15_000 };

/** One who plays alice's stream. */
interface Viewer {
  readonly tags: FlvTag[];
  readonly ended: Promise<void>;
  seen(): Seen;
}

async function watch({ world, alice }: Scene, viewer: NetConnection, seconds: number): Promise<Viewer> {
  const view = new NetStream(viewer, alice.nearID, { reorderMs: 0 });
  await world.settle(view.play("cam"), 20_000);
  const from = world.now;
  const tags: FlvTag[] = [];
  const eyes = new Watch(GROUP);
  const ended = (async () => {
    for await (const tag of view) {
      tags.push(tag);
      eyes.see(tag, world.now, from);
    }
  })();
  return { tags, ended, seen: () => eyes.figures(seconds * FPS) };
}

/** Streams the camera from alice to all others, whose links are first set by `impair`. */
async function stream(
  scene: Scene,
  seconds: number,
  bitsPerSecond: number,
  impair: () => void,
  set: Partial<Pick<NetStream, "audioReliable" | "videoReliable" | "dataReliable">> = {},
): Promise<{ viewers: Viewer[]; result: FeedResult; feedMs: number }> {
  const { world, alice, clients } = scene;
  const cam = Object.assign(new NetStream(alice, NetStream.DIRECT_CONNECTIONS), set);
  await cam.publish("cam");
  const viewers = await Promise.all(clients.slice(1).map((each) => watch(scene, each, seconds)));
  impair();
  const startedAt = world.now;
  const result = await world.settle(cam.feed(camera({ seconds, bitsPerSecond, fps: FPS, group: GROUP })), 600_000);
  const feedMs = world.now - startedAt;
  void cam.close();
  await world.settle(Promise.all(viewers.map(({ ended }) => ended)), 600_000);
  return { viewers, result, feedMs };
}

describe("unreliable media", () => {
  it(
    ...rfc("V-4", "R7425-5.1.1-10"),
    "gives up late pictures by whole groups on a way too narrow, and every sound arrives in time",
    async () => {
      const scene = await makeScene(1, { latencyMs: 20 });
      const { viewers, result } = await stream(
        scene,
        40,
        900_000,
        () => scene.hosts[1]?.link.down.set({ ...NARROW, bitsPerSecond: 600_000 }),
        { videoReliable: false },
      );
      const seen = viewers[0]?.seen() as Seen;
      expect(seen.missingSounds).toBe(0);
      expect(seen.longestSoundGapMs).toBeLessThan(1_000);
      expect(seen.undecodable).toBe(0);
      expect(seen.brokenGroups).toBeGreaterThan(3);
      expect(seen.keyFrames).toBeGreaterThan(5);
      expect(seen.worstDelayMs).toBeLessThan(2_000);
      // Those given up while they were under way may still arrive.
      expect(result.abandoned).toBeGreaterThanOrEqual(400 - seen.pictures);
    },
  );

  it("arrives nevertheless if it is metadata or configuration, and never after its time otherwise", async () => {
    const scene = await makeScene(2, { latencyMs: 20 });
    const { world, hosts } = scene;
    const all = { audioReliable: false, videoReliable: false, dataReliable: false };
    const impair = (): void => void world.partition([hosts[0]!], [hosts[1]!], 6_000);
    const { viewers } = await stream(scene, 20, 300_000, impair, all);
    const { tags, seen } = viewers[0] as Viewer;
    expect(tags.filter(({ type }) => type === "data")).toHaveLength(1);
    expect(tags.filter((tag) => tag.type !== "data" && serialOf(tag) < 0).map(({ type }) => type)).toHaveLength(2);
    const { missingSounds, undecodable, brokenGroups, longestGapMs } = seen();
    // What was written while nothing got through, but for the last second or so.
    expect(missingSounds).toBeGreaterThan(150);
    expect(missingSounds).toBeLessThan(320);
    expect(brokenGroups).toBeGreaterThan(1);
    expect(brokenGroups).toBeLessThan(6);
    expect(undecodable).toBe(0);
    expect(longestGapMs).toBeLessThan(2_000);
  });
});

describe("reliable media", () => {
  it("is whole on a way that loses much, sound ahead of pictures", async () => {
    const scene = await makeScene(3, { latencyMs: 20 });
    const { viewers, result } = await stream(scene, 20, 500_000, () => scene.hosts[0]?.link.up.set({ loss: 0.03 }));
    const seen = viewers[0]?.seen() as Seen;
    expect(result.abandoned).toBe(0);
    expect(seen).toMatchObject({ pictures: 200, missingSounds: 0, undecodable: 0 });
  });
});

describe("a viewer that is too slow", () => {
  it("misses pictures by whole groups, while the live stream goes on for all others", async () => {
    const scene = await makeScene(4, { latencyMs: 20 }, [], ["alice", "bob", "carol"]);
    const { viewers, feedMs } = await stream(scene, 60, 1_000_000, () => scene.hosts[2]?.link.down.set(NARROW));
    const [bob, carol] = viewers.map((each) => each.seen()) as [Seen, Seen];
    expect(feedMs).toBeGreaterThan(59_000);
    expect(bob).toMatchObject({ pictures: 600, brokenGroups: 0, missingSounds: 0 });
    // Held up for a second in all, and never more than that behind.
    expect(bob.worstDelayMs).toBeLessThan(1_500);
    expect(bob.longestGapMs).toBeLessThan(1_200);
    expect(carol.undecodable).toBe(0);
    expect(carol.keyFrames).toBeGreaterThan(5);
    expect(carol.brokenGroups).toBeGreaterThan(5);
  });

  it("and takes nothing at all is cut off after half a minute, and holds nobody", async () => {
    const scene = await makeScene(5, { latencyMs: 20 }, [], ["alice", "bob", "carol"]);
    const { world, alice, clients } = scene;
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    await cam.publish("cam");
    const bob = await watch(scene, clients[1] as NetConnection, 60);
    const carol = new NetStream(clients[2] as NetConnection, alice.nearID);
    await world.settle(carol.play("cam"), 20_000);
    // She asks for one tag and never for another.
    const tags = carol[Symbol.asyncIterator]();
    void tags.next();
    const feeding = cam.feed(camera({ seconds: 100, bitsPerSecond: 4_000_000, fps: FPS, group: GROUP }));
    await world.runAsync(70_000);
    expect(cam.peerStreams.map(({ farID }) => farID)).toEqual([clients[1]?.nearID]);
    expect(bob.seen().longestGapMs).toBeLessThan(1_200);
    await world.settle(cam.close(), 10_000);
    expect((await world.settle(feeding, 10_000)).tags).toBeGreaterThan(3_000);
  }, 90_000);
});

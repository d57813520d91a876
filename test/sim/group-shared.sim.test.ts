import { GroupSpecifier, NetConnection, NetGroup, NetStream, type StatusEvent } from "rtmfp-client";
import { type FlvTag, isKeyFrame, isSequenceHeader } from "rtmfp-core/flv";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, codes, GroupScene, type Member, soundAndPictures } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 300_000;

describe("a membership", () => {
  it(
    ...rfc("B-3", "G-1"),
    "is one for a NetGroup and the NetStreams of its groupspec on one connection, and ends with the last of them",
    async () => {
      const scene = await new GroupScene(41).start();
      const { world } = scene;
      const spec = channelSpec("channel", (it) => it.setPublishPassword("secret"));
      const everybody = channelSpec("channel", (it) => it.setPublishPassword("secret")).replace(
        GroupSpecifier.encodePublishAuthorization("secret"),
        "",
      );
      const sender = await scene.connect("sender");
      const cam = new NetStream(sender.nc, spec);
      const control = new NetGroup(sender.nc, everybody);
      await world.settle(cam.publish("stream"), 5_000);
      const viewer = await scene.join("viewer", everybody, "port-restricted-cone");
      const view = new NetStream(viewer.nc, everybody);
      const playing = view.play("stream");
      await world.runAsync(3_000);
      await world.settle(playing, 5_000);
      const member = () => [...scene.server.groups.groups.values()].map(({ members, joins }) => [members, joins]);
      expect(member()).toEqual([[2, 2]]);
      expect(codes(sender.connection)).toEqual([
        "NetConnection.Connect.Success",
        "NetStream.Connect.Success",
        "NetGroup.Connect.Success",
      ]);
      expect(control.neighbors.map(({ peerID }) => peerID)).toEqual([viewer.nc.nearID]);
      expect(viewer.group.streams).toEqual(["stream"]);
      expect(codes(viewer.events)).toContain("NetGroup.MulticastStream.PublishNotify");
      // A later one is told of who, and what, is there already.
      const later = new NetGroup(viewer.nc, everybody);
      const told: StatusEvent[] = [];
      later.on("status", (event) => told.push(event));
      await world.runAsync(100);
      expect(told).toEqual([
        expect.objectContaining({ code: "NetGroup.Neighbor.Connect", peerID: sender.nc.nearID }),
        expect.objectContaining({ code: "NetGroup.MulticastStream.PublishNotify", name: "stream" }),
      ]);
      control.close();
      await world.runAsync(5_000);
      expect(member()).toEqual([[2, 2]]);
      await expect(new NetStream(viewer.nc, everybody).publish("stream")).rejects.toMatchObject({
        code: "NetStream.Publish.Denied",
        message: expect.stringContaining("without the password"),
      });
      await expect(new NetStream(sender.nc, spec).publish("stream")).rejects.toMatchObject({
        code: "NetStream.Publish.BadName",
      });
      await world.settle(cam.close(), 20_000);
      await world.runAsync(5_000);
      // The stream that could not publish is a member still.
      expect(member()).toEqual([[2, 2]]);
      await world.settle(sender.nc.close(), 10_000);
      await world.runAsync(3_000);
      expect(member()).toEqual([[1, 2]]);
      expect(codes(viewer.events).slice(-2).sort()).toEqual([
        "NetGroup.LocalCoverage.Notify",
        "NetGroup.Neighbor.Disconnect",
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-6"),
    "keeps sessions of groups apart from maxPeerConnections, which bounds those of streams",
    async () => {
      const scene = await new GroupScene(42).start();
      const { world } = scene;
      const spec = channelSpec();
      for (let i = 0; i < 5; i++) {
        const { nc } = await scene.join(`member${i}`, spec);
        nc.maxPeerConnections = 1;
      }
      await world.runAsync(10_000);
      const [alice, bob, carol] = scene.members as [Member, Member, Member];
      for (const { group, nc } of scene.members) {
        expect(group.neighborCount).toBe(4);
        expect(nc.core.peers.count).toBe(0);
      }
      const cam = new NetStream(alice.nc, NetStream.DIRECT_CONNECTIONS);
      await world.settle(cam.publish("cam"), 1_000);
      const sessions = alice.nc.core.endpoint.sessions.size;
      const view = new NetStream(bob.nc, alice.nc.nearID);
      await world.settle(view.play("cam"), 5_000);
      expect(alice.nc.core.endpoint.sessions.size).toBe(sessions);
      expect(alice.nc.core.peers.count).toBe(1);
      const second = new NetStream(carol.nc, alice.nc.nearID).play("cam");
      await expect(world.settle(second, 5_000)).rejects.toMatchObject({ code: "NetStream.Connect.Rejected" });
      alice.group.close();
      await world.runAsync(10_000);
      expect([...alice.nc.core.endpoint.sessions].map(({ peerId }) => peerId).sort()).toEqual(
        [alice.nc.farID, bob.nc.nearID].sort(),
      );
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-1"),
    "needs no server where members know each other's addresses",
    async () => {
      const world = new SimWorld(43);
      const spec = channelSpec();
      const make = async (name: string): Promise<{ nc: NetConnection; group: NetGroup; events: StatusEvent[] }> => {
        const host = world.host(name, { link: { latencyMs: 15 } });
        const nc = new NetConnection({
          carrier: () => host.open([{ port: 0 }]),
          clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
          random: (n) => host.random(n),
        });
        await world.settle(nc.connect("rtmfp:"), 1_000);
        const events: StatusEvent[] = [];
        nc.on("status", (event) => events.push(event));
        return { nc, group: new NetGroup(nc, spec), events };
      };
      const [alice, bob, carol] = [await make("alice"), await make("bob"), await make("carol")];
      expect(() => new NetGroup(new NetConnection(), spec)).toThrow("is not connected");
      await world.runAsync(100);
      for (const { events } of [alice, bob, carol]) expect(codes(events)).toEqual(["NetGroup.Connect.Success"]);
      expect(alice.group.addNeighbor(alice.nc.nearID)).toBe(false);
      expect(() => alice.group.addNeighbor("ed")).toThrow("expected a peer ID of 64 hex digits");
      expect(alice.group.addNeighbor(bob.nc.nearID, bob.nc.nearAddresses)).toBe(true);
      expect(carol.group.addMemberHint(bob.nc.nearID, bob.nc.nearAddresses)).toBe(true);
      await world.runAsync(30_000);
      for (const { group } of [alice, bob, carol]) expect(group.neighborCount).toBe(2);
      await world.settle(Promise.all([alice, bob, carol].map(({ nc }) => nc.close())), 20_000);
    },
    TIMEOUT_MS,
  );
});

describe("several groups of one connection", () => {
  it(
    ...rfc("B-2", "B-3", "G-1"),
    "have one session with each member of them, and streams of their own",
    async () => {
      const scene = await new GroupScene(45).start();
      const { world } = scene;
      const specs = ["one", "two"].map((name) => channelSpec(`bittube.vanderbilt.edu/${name}`));
      const sender = await scene.connect("sender", "port-restricted-cone");
      const cams = specs.map((spec) => new NetStream(sender.nc, spec));
      await world.settle(Promise.all(cams.map((cam) => cam.publish("stream"))), 5_000);
      const viewers = [];
      for (const name of ["alice", "bob"]) {
        const { nc } = await scene.connect(name, "restricted-cone");
        const views = specs.map((spec) => new NetStream(nc, spec));
        viewers.push({ nc, views, playing: views.map((view) => view.play("stream")), got: views.map(collect) });
      }
      await world.settle(Promise.all(viewers.flatMap(({ playing }) => playing)), 20_000);
      for (const { nc } of viewers) expect(nc.core.endpoint.sessions.size).toBe(3);
      for (const [i, cam] of cams.entries()) void cam.feed(soundAndPictures(30 - i));
      await world.runAsync(10_000);
      await world.settle((cams[0] as NetStream).close(), 20_000);
      await world.runAsync(25_000);
      for (const { got, nc } of viewers) {
        const [one, two] = got.map((tags) => tags.filter(({ type }) => type === "video").at(-1)?.timestamp);
        expect(one).toBeGreaterThan(8_000);
        expect(one).toBeLessThan(12_000);
        expect(two).toBe(28_900);
        expect(nc.core.endpoint.sessions.size).toBe(3);
      }
      const other = await scene.connect("other");
      const [view] = (viewers[0] as { views: NetStream[] }).views;
      await world.settle((view as NetStream).attach(other.nc), 10_000);
      const again = cams[0] as NetStream;
      await world.settle(again.publish("stream"), 5_000);
      void again.feed(soundAndPictures(20));
      await world.settle((view as NetStream).play("stream"), 20_000);
      expect(codes(other.connection)).toContain("NetStream.Connect.Success");
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-1"),
    "let no more strangers in than may yet turn out to be members",
    async () => {
      const scene = await new GroupScene(46).start();
      const { world } = scene;
      const { nc } = await scene.join("member", channelSpec());
      nc.maxPeerConnections = 0;
      const crowd = [];
      for (let i = 0; i < 70; i++) {
        const host = world.host(`stranger${i}`);
        const stranger = new NetConnection({
          carrier: () => host.open([{ port: 0 }]),
          clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
          random: (n) => host.random(n),
        });
        await world.settle(stranger.connect("rtmfp:"), 1_000);
        crowd.push(new NetStream(stranger, nc.nearID, { addresses: nc.nearAddresses }));
      }
      const refused = crowd.map((stream) => stream.play("cam").catch(({ code }: { code: string }) => code));
      expect(new Set(await world.settle(Promise.all(refused), 20_000))).toEqual(
        new Set(["NetStream.Connect.Rejected"]),
      );
      expect(nc.core.peers.count).toBeLessThanOrEqual(64);
      expect(nc.core.peers.count).toBeGreaterThan(0);
      await world.runAsync(20_000);
      expect(nc.core.peers.count).toBe(0);
    },
    TIMEOUT_MS,
  );
});

describe("a player of a group's stream", () => {
  it(
    ...rfc("G-3", "P-4"),
    "that joins late begins at a key frame within 5 s, hears what is sent, and changes to another publisher",
    async () => {
      const scene = await new GroupScene(44).start();
      const { world } = scene;
      const spec = channelSpec();
      const first = await scene.join("first", spec, "full-cone");
      const cam = new NetStream(first.nc, spec);
      cam.multicastWindowDuration = 6;
      await world.settle(cam.publish("cam"), 5_000);
      for (let i = 0; i < 3; i++) {
        const { nc } = await scene.join(`relay${i}`, spec);
        void new NetStream(nc, spec).play("cam").catch(() => {});
      }
      const feeding = cam.feed([...soundAndPictures(60)]);
      await world.runAsync(20_000);
      const late = await scene.join("late", spec, "port-restricted-cone");
      const view = new NetStream(late.nc, spec);
      const events: StatusEvent[] = [];
      view.on("status", (event) => events.push(event));
      const called: unknown[] = [];
      view.client = { onText: (...args: unknown[]) => called.push(args) };
      const got = collect(view);
      const joinedAt = world.now;
      await world.settle(view.play("cam"), 10_000);
      while (!got.some(isKeyFrame) && world.now < joinedAt + 20_000) await world.runAsync(100);
      expect(world.now - joinedAt).toBeLessThan(5_000);
      const video = got.filter(({ type }) => type === "video");
      expect(video.slice(0, 2).map((tag) => [isSequenceHeader(tag), isKeyFrame(tag)])).toEqual([
        [true, false],
        [false, true],
      ]);
      expect(view.multicastWindowDuration).toBe(6);
      view.multicastFetchPeriod = 1;
      expect([view.multicastFetchPeriod, cam.multicastFetchPeriod]).toEqual([1, 2.5]);
      cam.send("onText", "hello", 7);
      view.receiveVideo(false);
      await world.runAsync(8_000);
      expect(called).toEqual([["hello", 7]]);
      const pictures = got.filter(({ type }) => type === "video").length;
      await world.runAsync(2_000);
      expect(got.filter(({ type }) => type === "video").length - pictures).toBe(0);
      view.receiveVideo(true);
      await world.runAsync(5_000);
      expect(isKeyFrame(got.filter(({ type }) => type === "video")[pictures] as FlvTag)).toBe(true);
      const info = view.multicastInfo;
      expect(info.bytesPushedFromPeers + info.bytesRequestedFromPeers).toBeGreaterThan(100_000);
      expect(info.receiveDataBytesPerSecond).toBeGreaterThan(10_000);
      await world.settle(feeding, 120_000);
      // Another publisher of the name, while the first has not gone.
      const second = await scene.join("second", spec);
      const other = new NetStream(second.nc, spec);
      await world.settle(other.publish("cam"), 5_000);
      void other.feed([...soundAndPictures(40)]);
      await world.runAsync(25_000);
      expect(codes(events)).toContain("NetStream.MulticastStream.Reset");
      expect(view.multicastFetchPeriod).toBe(2.5);
      expect(view.multicastWindowDuration).toBe(8);
      expect(got.filter(({ type }) => type === "video").at(-1)?.timestamp).toBeGreaterThan(5_000);
      await world.settle(view.close(), 5_000);
      expect(codes(late.connection).at(-1)).toBe("NetStream.Connect.Closed");
      expect(view.multicastInfo.bytesPushedFromPeers).toBe(0);
      // It may begin anew.
      await world.settle(view.play("cam"), 10_000);
      const again = collect(view);
      await world.runAsync(3_000);
      expect(again.length).toBeGreaterThan(50);
    },
    TIMEOUT_MS,
  );
});

import { type NetConnectionOptions, NetStream } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import type { NatKind } from "rtmfp-core/testing";
import { Reject } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, codes, GroupScene, type Member, soundAndPictures } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 300_000;
const KINDS: readonly (NatKind | undefined)[] = [
  "port-restricted-cone",
  "full-cone",
  undefined,
  "restricted-cone",
  "port-restricted-cone",
];

const spec = channelSpec();

/** A publisher and viewers that play, all neighbours of each other. */
class Channel {
  readonly scene: GroupScene;
  readonly cam: NetStream;
  readonly publisher: Member;
  readonly viewers: (Member & { readonly got: FlvTag[] })[] = [];

  private constructor(scene: GroupScene, publisher: Member, cam: NetStream) {
    this.scene = scene;
    this.publisher = publisher;
    this.cam = cam;
  }

  static async begin(seed: number, options: NetConnectionOptions = {}): Promise<Channel> {
    const scene = await new GroupScene(seed).start();
    const { world } = scene;
    const publisher = await scene.join("publisher", spec, "port-restricted-cone", options);
    const cam = new NetStream(publisher.nc, spec);
    await world.settle(cam.publish("cam"), 5_000);
    const channel = new Channel(scene, publisher, cam);
    for (const [i, kind] of KINDS.entries()) {
      const member = await scene.join(`viewer${i}`, spec, kind, options);
      const view = new NetStream(member.nc, spec);
      view.play("cam").catch(() => {});
      const got = collect(view);
      channel.viewers.push({ ...member, got });
    }
    await world.runAsync(5_000);
    for (const { group } of scene.members) expect(group.neighborCount).toBe(KINDS.length);
    return channel;
  }

  get all(): Member[] {
    return [this.publisher, ...this.viewers];
  }
}

describe("a group whose server is gone", () => {
  it(
    ...rfc("G-6"),
    "goes on when the server ends all connections, until nobody is left",
    async () => {
      const { scene, cam, viewers, all } = await Channel.begin(31);
      const { world } = scene;
      const feeding = cam.feed([...soundAndPictures(60)]);
      await world.runAsync(10_000);
      await world.settle(scene.server.close(), 20_000);
      await world.runAsync(5_000);
      for (const { nc, connection } of all) {
        expect(codes(connection).at(-1)).toBe("NetConnection.Connect.NetworkChange");
        expect(nc.connected).toBe(true);
        await expect(nc.call("anything")).rejects.toMatchObject({ code: "NetConnection.Connect.Closed" });
      }
      await world.settle(feeding, 120_000);
      await world.runAsync(9_000);
      for (const { got } of viewers) {
        const pictures = got.filter(({ type }) => type === "video").map(({ timestamp }) => timestamp);
        expect(pictures.at(-1)).toBe(59_900);
        expect(pictures.length).toBeGreaterThanOrEqual(570);
      }
      const [last, ...others] = all as [Member, ...Member[]];
      await world.settle(Promise.all(others.map(({ nc }) => nc.close())), 30_000);
      await world.runAsync(5_000);
      expect(last.group.neighborCount).toBe(0);
      expect(last.nc.connected).toBe(true);
      await world.runAsync(30_000);
      expect(last.nc.connected).toBe(false);
      expect(codes(last.connection).slice(-3, -1).sort()).toEqual([
        "NetGroup.Connect.Closed",
        "NetStream.Connect.Closed",
      ]);
      expect(codes(last.connection).at(-1)).toBe("NetConnection.Connect.Closed");
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-6", "O-6"),
    "goes on when the server vanishes, joins at the next one, and lets newcomers in there",
    async () => {
      const { scene, cam, all } = await Channel.begin(32, { reconnect: { firstMs: 1_000, mostMs: 4_000 } });
      const { world } = scene;
      void cam.feed([...soundAndPictures(400)]);
      await scene.kill();
      await world.runAsync(200_000);
      for (const { connection, group } of all) {
        expect(codes(connection).at(-1)).toBe("NetConnection.Connect.NetworkChange");
        expect(group.neighborCount).toBe(KINDS.length);
      }
      await scene.start();
      await world.runAsync(20_000);
      for (const { connection, nc } of all) {
        expect(connection.at(-1)).toMatchObject({
          code: "NetConnection.Connect.NetworkChange",
          description: "the server is there again",
        });
        expect(codes(connection)).not.toContain("NetConnection.Connect.Closed");
        expect(nc.stats).toBeDefined();
      }
      expect([...scene.server.groups.groups.values()].map(({ members }) => members)).toEqual([all.length]);
      const late = await scene.join("late", spec, "port-restricted-cone");
      const view = new NetStream(late.nc, spec);
      expect(await world.settle(view.play("cam"), 20_000)).toMatchObject({ code: "NetStream.Play.Start" });
      await world.runAsync(10_000);
      expect(late.group.neighborCount).toBe(all.length);
      await world.settle(Promise.all([...all, late].map(({ nc }) => nc.close())), 30_000);
      for (const { connection } of all) expect(codes(connection).at(-1)).toBe("NetConnection.Connect.Closed");
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-6"),
    "goes on when the next server refuses, and ends by close while it looks for one",
    async () => {
      const { scene, all } = await Channel.begin(33, {
        reconnect: { firstMs: 1_000, mostMs: 2_000 },
        timeoutMs: 5_000,
      });
      const { world } = scene;
      await world.settle(scene.server.close(), 20_000);
      await world.runAsync(4_000);
      const [hasty, ...others] = all as [Member, ...Member[]];
      await world.settle(hasty.nc.close(), 10_000);
      expect(codes(hasty.connection).at(-1)).toBe("NetConnection.Connect.Closed");
      let asked = 0;
      await scene.start((server) =>
        server.application("app", () => ({
          onConnect: () => {
            asked++;
            throw new Reject("not you");
          },
        })),
      );
      await world.runAsync(60_000);
      expect(asked).toBe(others.length);
      for (const { nc, group, connection } of others) {
        expect(nc.connected).toBe(true);
        expect(group.neighborCount).toBe(others.length - 1);
        expect(codes(connection)).not.toContain("NetConnection.Connect.Closed");
        await expect(nc.call("anything")).rejects.toMatchObject({ code: "NetConnection.Connect.Closed" });
      }
      await world.settle(Promise.all(others.map(({ nc }) => nc.close())), 20_000);
      for (const { nc } of all) expect(nc.connected).toBe(false);
    },
    TIMEOUT_MS,
  );
});

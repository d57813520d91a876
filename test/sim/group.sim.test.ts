import { GroupSpecifier, NetGroup } from "rtmfp-client";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, codes, GroupScene } from "./group-support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;

describe("members of a group", () => {
  it(
    ...rfc("G-1"),
    "find each other by the server, and are told of each other",
    async () => {
      const scene = await new GroupScene(1).start();
      const { world } = scene;
      const spec = channelSpec();
      const alice = await scene.join("alice", spec, "port-restricted-cone");
      await world.runAsync(1_000);
      expect(codes(alice.connection)).toEqual(["NetConnection.Connect.Success", "NetGroup.Connect.Success"]);
      expect(alice.connection[1]).toMatchObject({ level: "status", group: alice.group });
      const bob = await scene.join("bob", spec, "full-cone");
      await world.runAsync(3_000);
      const carol = await scene.join("carol", spec);
      await world.runAsync(3_000);
      for (const member of scene.members) {
        const others = scene.members.filter((each) => each !== member);
        expect(member.group.neighborCount).toBe(2);
        expect(member.group.estimatedMemberCount).toBe(3);
        const told = member.events.filter(({ code }) => code === "NetGroup.Neighbor.Connect");
        expect(new Set(told)).toEqual(
          new Set(
            others.map(({ nc }) => ({
              code: "NetGroup.Neighbor.Connect",
              level: "status",
              peerID: nc.nearID,
              neighbor: member.group.convertPeerIDToGroupAddress(nc.nearID),
            })),
          ),
        );
        expect(codes(member.connection)).toEqual(["NetConnection.Connect.Success", "NetGroup.Connect.Success"]);
        expect(member.nc.core.peers.count).toBe(0);
      }
      const introduced = scene.server.introductions.map(({ outcome }) => outcome);
      expect(introduced.length).toBeGreaterThanOrEqual(3);
      expect(new Set(introduced)).toEqual(new Set(["connected"]));
      bob.group.close();
      expect(codes(bob.connection).at(-1)).toBe("NetGroup.Connect.Closed");
      await world.runAsync(10_000);
      for (const member of [alice, carol]) {
        expect(member.group.neighborCount).toBe(1);
        expect(member.events.at(-1)).toBeDefined();
        expect(member.events.find(({ code }) => code === "NetGroup.Neighbor.Disconnect")).toMatchObject({
          peerID: bob.nc.nearID,
        });
      }
      expect(() => bob.group.addNeighbor(alice.nc.nearID)).toThrow("is closed");
      expect(bob.nc.core.endpoint.sessions.size).toBe(1);
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-1", "G-7"),
    "find each other by a member that the groupspec names, and by old groupspecs in clear",
    async () => {
      const scene = await new GroupScene(3).start();
      const { world } = scene;
      const quiet = channelSpec("quiet", (spec) => {
        spec.serverChannelEnabled = false;
      });
      const alice = await scene.join("alice", quiet, "port-restricted-cone");
      const hint = GroupSpecifier.encodeBootstrapPeerIDSpec(alice.nc.nearID);
      const bob = await scene.join("bob", quiet + hint, "restricted-cone");
      const carol = await scene.join("carol", quiet + hint);
      await world.runAsync(15_000);
      for (const { group } of [alice, bob, carol]) expect(group.neighborCount).toBe(2);
      expect(scene.server.groups.members).toBe(0);
      const old = channelSpec("old", (spec) => {
        spec.minGroupspecVersion = 1;
      });
      const [first, second] = [new NetGroup(alice.nc, old), new NetGroup(bob.nc, old)];
      await world.runAsync(5_000);
      expect([first.neighborCount, second.neighborCount, scene.server.groups.members]).toEqual([1, 1, 2]);
      expect(first.neighbors[0]).toMatchObject({ peerID: bob.nc.nearID });
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("B-22", "G-1"),
    "have joined with their first neighbour where the server never says that it has the join",
    async () => {
      const scene = await new GroupScene(5).start();
      const { world } = scene;
      const spec = channelSpec();
      const bob = await scene.join("bob", spec);
      await world.runAsync(2_000);
      const { nc } = await scene.connect("alice");
      world.filter(({ sender }) => (sender === "server" ? "drop" : undefined));
      const told: string[] = [];
      nc.on("status", ({ code }) => told.push(code));
      const group = new NetGroup(nc, spec);
      group.on("status", ({ code }) => told.push(code));
      await world.runAsync(10_000);
      expect(told).toEqual([]);
      expect(() => group.addNeighbor(bob.nc.nearID)).toThrow("is not joined yet");
      bob.group.addNeighbor(nc.nearID, nc.nearAddresses);
      await world.runAsync(5_000);
      expect(told).toEqual(["NetGroup.Connect.Success", "NetGroup.Neighbor.Connect", "NetGroup.LocalCoverage.Notify"]);
      expect(group.neighbors.map(({ peerID }) => peerID)).toEqual([bob.nc.nearID]);
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-6"),
    "come and go behind NATs of all kinds, and every one of those that are there is next to those beside it",
    async () => {
      const scene = await new GroupScene(4).start();
      const { world } = scene;
      const spec = channelSpec();
      const kinds = [undefined, "full-cone", "restricted-cone", "port-restricted-cone"] as const;
      for (let i = 0; i < 10; i++) {
        await scene.join(`member${i}`, spec, kinds[i % kinds.length]);
        await world.runAsync(1_000);
      }
      await world.runAsync(10_000);
      for (const { group } of scene.members) {
        expect(group.neighborCount).toBe(9);
        expect(group.estimatedMemberCount).toBe(10);
      }
      const gone = scene.members.splice(2, 4);
      for (const [i, { nc, group, host }] of gone.entries()) {
        if (i === 0) group.close();
        else if (i === 1) await world.settle(nc.close(), 10_000);
        else world.filter(({ sender }) => (sender === host.name ? "drop" : undefined));
      }
      await world.runAsync(5_000);
      await scene.join("late", spec, "port-restricted-cone");
      await world.runAsync(60_000);
      for (const { group, nc } of scene.members) {
        const others = scene.members.filter((each) => each.nc !== nc).map((each) => each.nc.nearID);
        expect(new Set(group.neighbors.map(({ peerID }) => peerID))).toEqual(new Set(others));
      }
    },
    TIMEOUT_MS,
  );
});

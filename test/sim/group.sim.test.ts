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
});

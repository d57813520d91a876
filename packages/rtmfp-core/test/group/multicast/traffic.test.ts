import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { Mesh } from "./mesh.ts";

describe("what neighbours move for each other", () => {
  it(...rfc("G-3"), "is counted for each that is there, alike at both ends", () => {
    const mesh = new Mesh({ seed: 5 });
    const members = Array.from({ length: 4 }, () => mesh.add());
    for (const one of members) for (const other of members) mesh.connect(one, other);
    const [publisher, ...viewers] = members as [(typeof members)[0], ...typeof members];
    const players = viewers.map((viewer) => viewer.play("cam"));
    const publication = publisher.multicast.publish("cam");
    mesh.run(1_000);
    for (let i = 0; i < 200; i++) {
      publication.write(8, i * 20, new Uint8Array(500));
      mesh.run(20);
    }
    mesh.run(5_000);
    const moved = (one: number, other: number) =>
      members[one]?.multicast.traffic.find(({ peerId }) => peerId === members[other]?.peerId);
    for (let one = 0; one < 4; one++) {
      for (let other = 0; other < 4; other++) {
        if (one !== other) expect(moved(one, other)?.bytesOut).toBe(moved(other, one)?.bytesIn);
      }
    }
    for (const [at, player] of players.entries()) {
      const had = viewers[at]?.multicast.traffic.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
      const { bytesPushedFromPeers, bytesRequestedFromPeers } = player.subscription.info;
      expect(had).toBe(bytesPushedFromPeers + bytesRequestedFromPeers);
      expect(had).toBeGreaterThan(player.messages.length * 500);
    }
    // Eight stripes come to each viewer.
    const stripes = members.map((one) =>
      [...one.neighbours.values()].reduce((sum, other) => sum + one.multicast.load(other.neighbour), 0),
    );
    expect(stripes.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(2 * 8 * viewers.length);
    expect(publisher.multicast.traffic.map(({ bytesIn }) => bytesIn)).toEqual([0, 0, 0]);
    const [gone] = viewers;
    gone?.leave();
    mesh.run(1_000);
    expect(publisher.multicast.traffic.map(({ peerId }) => peerId)).toEqual(
      viewers.slice(1).map(({ peerId }) => peerId),
    );
  });
});

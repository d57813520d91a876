import { NetStream } from "rtmfp-client";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, GroupScene, type Member, soundAndPictures } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;
const SERVER = "198.51.100.1";
const spec = channelSpec();

/** So many members, and where each of them is on the wire. */
async function meet(scene: GroupScene, count: number): Promise<{ members: Member[]; hosts: string[] }> {
  const { world } = scene;
  const hosts: string[] = [];
  const stop = world.filter(({ sender, from }) => {
    const index = Number(/^m(\d+)$/.exec(sender)?.[1] ?? Number.NaN);
    if (!Number.isNaN(index)) hosts[index] = from.host;
    return undefined;
  });
  for (let i = 0; i < count; i++) {
    await scene.join(`m${i}`, spec);
    await world.runAsync(2_000);
  }
  await world.runAsync(20_000);
  stop();
  return { members: scene.members, hosts };
}

const neighbours = (members: readonly Member[]): number[] => members.map(({ group }) => group.neighborCount);

describe("members of a group who lose each other without a word", () => {
  it(
    ...rfc("G-6"),
    "find each other again when the line of one of them is back, though nobody else told of them meanwhile",
    async () => {
      for (const outageMs of [13_000, 13_500, 14_000, 14_500]) {
        const scene = await new GroupScene(7).start();
        const { world } = scene;
        const { members, hosts } = await meet(scene, 2);
        const heal = world.filter(({ from, to }) =>
          [from.host, to.host].includes(hosts[0] ?? "") ? "drop" : undefined,
        );
        await world.runAsync(outageMs);
        expect(neighbours(members)).toContain(0);
        heal();
        await world.runAsync(30_000);
        expect(neighbours(members)).toEqual([1, 1]);
      }
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-6", "G-3"),
    "because the paths between two halves fail for a while, or for long, are one group afterwards",
    async () => {
      for (const outageMs of [20_000, 900_000]) {
        const scene = await new GroupScene(9).start();
        const { world } = scene;
        const { members, hosts } = await meet(scene, 6);
        const half = (host: string): number => (host === SERVER ? Number.NaN : Math.floor(hosts.indexOf(host) / 3));
        const heal = world.filter(({ from, to }) => (half(from.host) + half(to.host) === 1 ? "drop" : undefined));
        await world.runAsync(outageMs);
        expect(neighbours(members)).toEqual([2, 2, 2, 2, 2, 2]);
        heal();
        await world.runAsync(240_000);
        expect(neighbours(members)).toEqual([5, 5, 5, 5, 5, 5]);
        const [first, ...others] = members as [Member, ...Member[]];
        const cam = new NetStream(first.nc, spec);
        const got = others.map(({ nc }) => {
          const view = new NetStream(nc, spec);
          void view.play("cam");
          return collect(view);
        });
        await world.settle(cam.publish("cam"), 5_000);
        await world.settle(cam.feed([...soundAndPictures(5)]), 20_000);
        await world.runAsync(2_000);
        for (const tags of got) expect(tags.length).toBeGreaterThan(200);
      }
    },
    TIMEOUT_MS,
  );
});

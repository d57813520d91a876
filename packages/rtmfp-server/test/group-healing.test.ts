/** Rings whose members leave, or are lost: who is told of whom. */
import fc from "fast-check";
import { decodeMember } from "rtmfp-core/group";
import type { SimHost } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { Groups } from "../src/groups.ts";
import { clientOf, GROUP, type Joined, join, LooseFlow, NO_HOST, RECORDED_JOIN, ringFrom } from "./support/group.ts";
import { SimServer } from "./support/sim.ts";

/** Peer IDs of those up to three places away, in the ring of `all`. */
function around(all: readonly Joined[], { client }: Joined): string[] {
  const ring = ringFrom(all, client.peerId);
  return ring.length <= 6 ? ring : [...ring.slice(0, 3), ...ring.slice(-3)];
}

/** A server with so many members, each of which has heard of those around it. */
async function ringOf(members: number) {
  const sim = await new SimServer().listen();
  const all: Joined[] = [];
  for (let i = 0; i < members; i++) all.push(join(await sim.connect()));
  await sim.pass(1_000);
  return { sim, all };
}

describe("the ring of a group of 200", () => {
  it(
    ...rfc("F-13", "G-6", "C-8"),
    "tells those who come within three places when one leaves, and nobody else",
    async () => {
      const { sim, all } = await ringOf(200);
      for (const one of all) expect(one.told).toEqual(expect.arrayContaining(around(all, one)));
      const told = all.reduce((sum, one) => sum + one.told.length, 0);
      expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: 200, told, untold: 0 });
      const [leaver, ...rest] = all as [Joined, ...Joined[]];
      const ring = ringFrom(all, leaver.client.peerId);
      const counts = new Map(rest.map((one) => [one, one.told.length]));
      await sim.run(leaver.flow.close());
      await sim.pass(500);
      const heard = new Map(rest.map((one) => [one.client.peerId, one.told.slice(counts.get(one))]));
      // Three on each side; the nearest had the farthest out of reach.
      const [after1, after2, after3] = ring as [string, string, string];
      const [before3, before2, before1] = ring.slice(-3) as [string, string, string];
      const expected = new Map([...heard].map(([id]): [string, string[]] => [id, []]));
      for (const [one, other] of [
        [before1, after3],
        [before2, after2],
        [before3, after1],
      ] as const) {
        expected.get(one)?.push(other);
        expected.get(other)?.push(one);
      }
      expect(heard).toEqual(expected);
      expect(leaver.ended).toBe(true);
    },
    60_000,
  );

  it(
    ...rfc("G-6", "F-13"),
    "closes again when a third of it is lost at once: each has heard of the three next on either side",
    async () => {
      const { sim, all } = await ringOf(200);
      const lost = new Set(all.filter((_, i) => i % 3 === 0));
      const hosts = sim.hosts.filter((_, i) => i % 3 === 0);
      sim.world.partition([sim.host], hosts as SimHost[]);
      await sim.pass(300_000);
      const rest = all.filter((one) => !lost.has(one));
      expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: rest.length, leaves: lost.size });
      for (const one of rest) expect(one.told).toEqual(expect.arrayContaining(around(rest, one)));
      // Nobody hears of everybody: what a death costs does not depend on the size of the group.
      const told = sim.server.groups.told;
      expect(told).toBeLessThanOrEqual(12 * 200 + 6 * lost.size);
    },
    120_000,
  );
});

describe("the ring of any group", () => {
  it(
    ...rfc("F-13", "C-8"),
    "has told everybody of those within three places, whoever came, went and came again",
    () => {
      const commands = fc.array(fc.tuple(fc.integer({ min: 0, max: 19 }), fc.boolean()), {
        minLength: 20,
        maxLength: 80,
        size: "max",
      });
      fc.assert(
        fc.property(commands, (steps) => {
          let now = 0;
          const groups = new Groups({ ...NO_HOST, now: () => now });
          const members = new Map<string, { flow: LooseFlow; told: Set<string> }>();
          for (const [who, comes] of steps) {
            now += 10_000;
            const peerId = who.toString(16).padStart(64, "0");
            if (comes) {
              const member = { flow: new LooseFlow(), told: new Set<string>() };
              groups.onFlow(listener(peerId, member.told), member.flow);
              member.flow.onMessage?.(RECORDED_JOIN, 0);
              members.set(peerId, member);
            } else {
              members.get(peerId)?.flow.onEnd?.();
              members.delete(peerId);
            }
            const ring = groups.membersOf(GROUP).map(({ peerID }) => peerID);
            expect([...ring].sort()).toEqual([...members.keys()].sort());
            for (const [at, id] of ring.entries()) {
              for (const step of [1, 2, 3]) {
                const next = ring[(at + step) % ring.length] as string;
                if (next === id) continue;
                expect(members.get(id)?.told.has(next)).toBe(true);
                expect(members.get(next)?.told.has(id)).toBe(true);
              }
            }
          }
          expect(groups.stats.untold).toBe(0);
        }),
        { numRuns: 40 },
      );
    },
  );

  it(
    ...rfc("F-13"),
    "tells a member of 10 others a second, after 100 at once, so that nobody can have it connect without end",
    () => {
      let now = 0;
      const groups = new Groups({ ...NO_HOST, now: () => now });
      const told = new Set<string>();
      const victim = new LooseFlow();
      groups.onFlow(listener("f".repeat(64), told), victim);
      victim.onMessage?.(RECORDED_JOIN, 0);
      const comeAndGo = (from: number, count: number): void => {
        for (let i = from; i < from + count; i++) {
          const flow = new LooseFlow();
          groups.onFlow(clientOf(i.toString(16).padStart(64, "0")), flow);
          flow.onMessage?.(RECORDED_JOIN, 0);
          flow.onEnd?.();
        }
      };
      comeAndGo(0, 150);
      expect(told.size).toBe(100);
      expect(groups.stats).toMatchObject({ told: 250, untold: 50 });
      now += 1_000;
      comeAndGo(150, 50);
      expect(told.size).toBe(110);
    },
  );

  it(...rfc("F-13"), "is left alone while the server closes: all are told to go", async () => {
    const { sim, all } = await ringOf(10);
    const before = all.map(({ told }) => [...told]);
    await sim.run(sim.server.close());
    await sim.pass(1_000);
    expect(all.map(({ told }) => told)).toEqual(before);
    expect(sim.server.groups).toMatchObject({ members: 0, joins: 10, leaves: 10, told: before.flat().length });
  });
});

/** A client that notes whom it is told of. */
function listener(peerId: string, told: Set<string>) {
  const write = (data: Uint8Array): void => void told.add(decodeMember(data) as string);
  const openFlow = () => ({ isOpen: true, bufferedBytes: 0, write, close: () => {} });
  return { ...clientOf(peerId), session: { openFlow } as never };
}

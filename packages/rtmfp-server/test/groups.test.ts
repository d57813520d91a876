/** The server channel of NetGroup, by bare flows. */
import { buildGroupspec, canonicalPart, encodeJoin, groupIdOf, parseGroupspec } from "rtmfp-core/group";
import { fromHex, toHex } from "rtmfp-core/proto";
import type { SimHost } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { Groups, MAX_GROUPS } from "../src/groups.ts";
import {
  clientOf,
  GROUP,
  type Joined,
  join,
  LooseFlow,
  NO_HOST,
  newcomer,
  RECORDED_JOIN,
  ringFrom,
} from "./support/group.ts";
import { SimServer } from "./support/sim.ts";

const { sha256 } = NO_HOST;
/** The group that was recorded. */
const SPEC = "G:027f02010101000103010c050e74657374011b00";

const sorted = (ids: readonly string[]): string[] => [...ids].sort();

describe("the server channel", () => {
  it(
    ...rfc("C-8", "O-2"),
    "takes the join that was recorded, and answers on a flow of its own with the member that comes next",
    async () => {
      const sim = await new SimServer().listen();
      const first = await newcomer(sim);
      expect([first.rejected, first.told]).toEqual([false, []]);
      const second = await newcomer(sim);
      expect(first.told).toEqual([second.client.peerId]);
      expect(second.told).toEqual([first.client.peerId]);
      expect(parseGroupspec(SPEC).serverChannelEnabled).toBe(true);
      expect(toHex(groupIdOf(SPEC, sha256))).toBe(GROUP);
      const counts = { members: 2, joins: 2, leaves: 0, told: 2, untold: 0 };
      const groups = new Map([[GROUP, counts]]);
      expect(sim.server.groups).toEqual({ ...counts, groups, refused: 0, malformed: 0 });
      expect(sim.logged("group")).toEqual([
        { client: `${first.client.peerId.slice(0, 8)}…`, group: "c3ab09fc…", what: "join", members: 1 },
        { client: `${second.client.peerId.slice(0, 8)}…`, group: "c3ab09fc…", what: "join", members: 2 },
      ]);
      expect(sim.log.filter(({ event }) => event === "group").map(({ level }) => level)).toEqual(["debug", "debug"]);
    },
  );

  it(
    ...rfc("C-8", "O-2"),
    "tells a newcomer of three members on each side in the ring, and them of the newcomer, and nobody else",
    async () => {
      const sim = await new SimServer().listen();
      const all: Joined[] = [];
      for (let i = 0; i < 12; i++) {
        const before = all.map(({ told }) => told.length);
        const joined = await newcomer(sim);
        all.push(joined);
        const ring = ringFrom(all, joined.client.peerId);
        const near = ring.length <= 6 ? ring : [...ring.slice(0, 3), ...ring.slice(-3)];
        expect(sorted(joined.told)).toEqual(sorted(near));
        const heard = all.slice(0, -1).filter(({ told }, each) => told.length > (before[each] as number));
        expect(sorted(heard.map(({ client }) => client.peerId))).toEqual(sorted(near));
        expect(heard.every(({ told }) => told.at(-1) === joined.client.peerId)).toBe(true);
      }
    },
    30_000,
  );

  it(...rfc("C-8", "G-7"), "makes one group of those who say its groupspec and those who say its hash", async () => {
    const sim = await new SimServer().listen();
    const spec = buildGroupspec({ name: "orf2", multicastEnabled: true, serverChannelEnabled: true });
    const old = await newcomer(sim, encodeJoin({ groupspec: canonicalPart(spec) }));
    const whole = await newcomer(sim, encodeJoin({ groupspec: `${spec}0315ffff` }));
    const hashed = await newcomer(sim, encodeJoin({ groupId: groupIdOf(spec, sha256) }));
    const other = await newcomer(sim, encodeJoin({ groupspec: canonicalPart(SPEC) }));
    const sameAsOther = await newcomer(sim);
    expect(old.told).toEqual([whole.client.peerId, hashed.client.peerId]);
    expect(sorted(hashed.told)).toEqual(sorted([old.client.peerId, whole.client.peerId]));
    expect(other.told).toEqual([sameAsOther.client.peerId]);
    expect([...sim.server.groups.groups].map(([id, { members }]) => [id, members])).toEqual([
      ["a7b19dcd531386643f069cdfd22e5079361684d7de7cd9893eefd3f873d15309", 3],
      [GROUP, 2],
    ]);
  });

  it(
    ...rfc("C-8"),
    "forgets a member whose flow, connection or session ends, and a group without members",
    async () => {
      const sim = await new SimServer().listen();
      const stays = await newcomer(sim);
      const byFlow = await newcomer(sim);
      const byConnection = await newcomer(sim);
      const bySession = await newcomer(sim);
      const lost = await newcomer(sim);
      await sim.run(byFlow.flow.close());
      await sim.run(byConnection.client.tree?.close() ?? Promise.reject(new Error("no tree")));
      await sim.run(bySession.client.close(), 100_000);
      sim.world.partition([sim.host], [sim.hosts.at(-1) as SimHost]);
      await sim.pass(300_000);
      expect(byConnection.rejected).toBe(true);
      expect([byFlow.ended, stays.ended]).toEqual([true, false]);
      expect(lost.client.session.isOpen).toBe(false);
      expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: 1, joins: 5, leaves: 4 });
      const late = await newcomer(sim);
      expect(late.told).toEqual([stays.client.peerId]);
      await sim.run(Promise.all([stays.flow.close(), late.flow.close()]));
      await sim.pass(500);
      expect(sim.server.groups).toMatchObject({ groups: new Map(), members: 0 });
      expect(sim.logged("group").at(-1)).toMatchObject({ what: "leave", members: 0 });
    },
  );

  it(...rfc("C-8"), "has a peer in a group once: who joins again has left before", async () => {
    const sim = await new SimServer().listen();
    const other = await newcomer(sim);
    const client = await sim.connect();
    const [first, second] = [join(client), join(client)];
    await sim.pass(500);
    expect([first.rejected, second.rejected]).toEqual([true, false]);
    expect(second.told).toEqual([other.client.peerId]);
    expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: 2, joins: 3, leaves: 1 });
    await sim.run(second.flow.close());
    await sim.pass(500);
    expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: 1, leaves: 2 });
    const alone = join(other.client);
    await sim.pass(500);
    expect([other.rejected, alone.rejected]).toEqual([true, false]);
    expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ members: 1, joins: 1, leaves: 0 });
    expect((await newcomer(sim)).told).toEqual([other.client.peerId]);
  });

  it(
    ...rfc("O-2"),
    "lets an application hear who joins and leaves which group, before it hears who is gone",
    async () => {
      const sim = new SimServer();
      const heard: string[] = [];
      sim.server.application("hall", () => ({
        onGroupJoin: (client, group) =>
          void heard.push(`join ${client.farID.slice(0, 8)} ${group.groupspecDigest.slice(0, 8)}`),
        onGroupLeave: (client, group) =>
          void heard.push(`leave ${client.farID.slice(0, 8)} ${group.groupspecDigest.slice(0, 8)}`),
        onDisconnect: (client) => void heard.push(`gone ${client.farID.slice(0, 8)}`),
      }));
      await sim.listen();
      const client = await sim.connect("hall");
      const name = client.peerId.slice(0, 8);
      const first = join(client);
      await sim.pass(500);
      await sim.run(first.flow.close());
      join(client, encodeJoin({ groupId: new Uint8Array(32).fill(0xab) }));
      await sim.pass(500);
      await sim.run(client.close(), 100_000);
      await sim.pass(500);
      expect(heard).toEqual([
        `join ${name} c3ab09fc`,
        `leave ${name} c3ab09fc`,
        `join ${name} abababab`,
        `leave ${name} abababab`,
        `gone ${name}`,
      ]);
      const elsewhere = join(await sim.connect("key"));
      await sim.pass(500);
      expect([elsewhere.rejected, heard.length]).toEqual([false, 5]);
    },
  );

  it(...rfc("C-8"), "is for clients that are connected to an application", async () => {
    const sim = await new SimServer().listen();
    const stranger = join(await sim.open());
    await sim.pass(500);
    expect(stranger.rejected).toBe(true);
    expect(sim.server.groups).toMatchObject({ members: 0, refused: 1 });
    const groups = new Groups(NO_HOST);
    const flow = new LooseFlow();
    groups.onFlow({ ...clientOf("a".repeat(64)), isAccepted: false }, flow);
    expect([flow.rejected, groups.stats.refused]).toEqual([true, 1]);
  });
});

describe("a client that does not play by the rules of groups", () => {
  it("is rejected for what is no join, and counted, and nobody is told", async () => {
    const sim = await new SimServer().listen();
    const member = await newcomer(sim);
    const client = await sim.connect();
    const long = buildGroupspec({ name: "x".repeat(2_100) });
    const wrong = ["", "01", "0100", "0b", `0121${GROUP}`, "0104104769", toHex(encodeJoin({ groupspec: long }))];
    const joins = wrong.map((hex) => join(client, fromHex(hex)));
    // A join behind something else is no join either.
    joins[0]?.flow.write(RECORDED_JOIN);
    await sim.pass(500);
    expect(joins.map(({ rejected }) => rejected)).toEqual(wrong.map(() => true));
    expect(sim.server.groups).toMatchObject({ members: 1, malformed: wrong.length });
    expect(member.told).toEqual([]);
    member.flow.write(RECORDED_JOIN);
    await sim.pass(500);
    expect(sim.server.groups).toMatchObject({ members: 1, malformed: wrong.length + 1 });
    expect(member.rejected).toBe(false);
  });

  it(`is in at most ${MAX_GROUPS} groups at a time`, async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const groups = Array.from({ length: MAX_GROUPS + 1 }, (_, i) => new Uint8Array(32).fill(i));
    const joins = groups.map((groupId) => join(client, encodeJoin({ groupId })));
    await sim.pass(500);
    const [inside, beyond] = [joins.filter(({ rejected }) => !rejected), joins.filter(({ rejected }) => rejected)];
    expect([inside.length, beyond.length]).toEqual([MAX_GROUPS, 1]);
    expect(sim.server.groups).toMatchObject({ members: MAX_GROUPS, refused: 1 });
    await sim.run(inside[0]?.flow.close() ?? Promise.reject(new Error("no flow")));
    const again = join(client, encodeJoin({ groupId: new Uint8Array(32).fill(99) }));
    await sim.pass(500);
    expect(again.rejected).toBe(false);
  });

  it("joins at most 10 times a second, after 100 at once", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const joins: Joined[] = [];
    for (let batch = 0; batch < 3; batch++) {
      const some = Array.from({ length: 50 }, (_, i) =>
        join(client, encodeJoin({ groupId: new Uint8Array(32).fill(i) })),
      );
      await sim.pass(100);
      joins.push(...some);
      await sim.run(Promise.all(some.map(({ flow }) => flow.close())));
    }
    const refused = joins.filter(({ rejected }) => rejected).length;
    expect(sim.server.groups).toMatchObject({ members: 0, refused });
    expect(150 - refused).toBeGreaterThanOrEqual(100);
    expect(150 - refused).toBeLessThanOrEqual(100 + sim.world.now / 100);
    expect(refused).toBeGreaterThan(0);
    await sim.pass(10_000);
    const later = join(client);
    await sim.pass(500);
    expect(later.rejected).toBe(false);
  });

  it("has not joined by what comes behind a message for which it was rejected", () => {
    const groups = new Groups(NO_HOST);
    const flow = new LooseFlow();
    groups.onFlow(clientOf("a".repeat(64)), flow);
    flow.onMessage?.(Uint8Array.of(1), 0);
    flow.onMessage?.(RECORDED_JOIN, 0);
    expect(flow.rejected).toBe(true);
    expect(groups.stats).toMatchObject({ groups: new Map(), members: 0, joins: 0, refused: 0, malformed: 1 });
  });

  it("finds no place beyond the cap of all groups together", () => {
    const groups = new Groups(NO_HOST, 2);
    const rejected = ["a", "b", "c"].map((digit) => {
      const flow = new LooseFlow();
      groups.onFlow(clientOf(digit.repeat(64)), flow);
      flow.onMessage?.(RECORDED_JOIN, 0);
      return flow.rejected;
    });
    expect(rejected).toEqual([false, false, true]);
    expect(groups.stats).toMatchObject({ members: 2, refused: 1 });
  });

  it("is told no more while 16 KiB wait for it, and others go on being told", () => {
    const groups = new Groups(NO_HOST);
    const written: number[] = [];
    for (const [digit, waiting] of [
      ["a", 16_385],
      ["b", 16_384],
      ["c", 0],
    ] as const) {
      const flow = new LooseFlow();
      groups.onFlow(clientOf(digit.repeat(64), waiting, written), flow);
      flow.onMessage?.(RECORDED_JOIN, 0);
    }
    expect(written.sort((a, b) => a - b)).toEqual([0, 0, 16_384, 16_384]);
    expect(groups.stats.groups.get(GROUP)).toMatchObject({ told: 4, untold: 2 });
  });
});

/** What applications can do about a client's membership of a group. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { GroupControl } from "../src/group-control.ts";
import { Groups } from "../src/groups.ts";
import { clientOf, GROUP, join, LooseFlow, NO_HOST, RECORDED_JOIN } from "./support/group.ts";
import { SimServer } from "./support/sim.ts";

const SOMEBODY = "ab".repeat(32);

describe("the control of a membership", () => {
  it(
    ...rfc("F-13"),
    "comes with the join of each client, and tells that client of others, and nobody else",
    async () => {
      const sim = new SimServer();
      const joined: GroupControl[] = [];
      const left: GroupControl[] = [];
      sim.server.application("hall", () => ({
        onGroupJoin(client, group) {
          expect([group.peerID, group.isJoined]).toEqual([client.farID, true]);
          joined.push(group);
          if (joined.length === 1) group.addNeighbor(SOMEBODY);
        },
        onGroupLeave(client, group) {
          expect([group.peerID, group.isJoined]).toEqual([client.farID, false]);
          left.push(group);
        },
      }));
      await sim.listen();
      const first = join(await sim.connect("hall"));
      await sim.pass(500);
      const second = join(await sim.connect("hall"));
      await sim.pass(500);
      expect(first.told).toEqual([SOMEBODY, second.client.peerId]);
      expect(second.told).toEqual([first.client.peerId]);
      expect(joined.map(({ groupspecDigest }) => groupspecDigest)).toEqual([GROUP, GROUP]);
      expect(sim.server.groupMembers(GROUP).map(({ peerID }) => peerID)).toEqual(
        [...joined].sort((a, b) => (a.groupAddress < b.groupAddress ? -1 : 1)).map(({ peerID }) => peerID),
      );
      expect(joined[1]?.addNeighbor("CD".repeat(32))).toBe(true);
      expect(joined[1]?.addMemberHint("ef".repeat(32))).toBe(true);
      await sim.pass(500);
      expect(second.told.slice(1)).toEqual(["cd".repeat(32), "ef".repeat(32)]);
      expect(first.told.length).toBe(2);
      expect(sim.server.groups.groups.get(GROUP)).toMatchObject({ told: 5, untold: 0 });
      await sim.run(second.flow.close());
      await sim.pass(500);
      expect(left).toEqual([joined[1]]);
      expect(left[0]?.addNeighbor(SOMEBODY)).toBe(false);
      await sim.pass(500);
      expect(second.told.length).toBe(3);
      expect(sim.server.groupMembers("00".repeat(32))).toEqual([]);
    },
  );

  it(...rfc("F-13"), "of a client that nobody was told of tells nothing once it has left", () => {
    const groups = new Groups(NO_HOST);
    const controls: GroupControl[] = [];
    const flow = new LooseFlow();
    groups.onFlow({ ...clientOf(SOMEBODY), onGroup: (_, group) => void controls.push(group) }, flow);
    flow.onMessage?.(RECORDED_JOIN, 0);
    flow.onEnd?.();
    expect(controls[0]).toBe(controls[1]);
    expect([controls[0]?.isJoined, controls[0]?.addNeighbor(SOMEBODY)]).toEqual([false, false]);
    expect(groups.stats).toMatchObject({ members: 0, joins: 1, leaves: 1, told: 0, untold: 0 });
  });

  it(...rfc("F-13"), "says no while 16 KiB wait for the client, and names what is no peer ID", () => {
    const controls: GroupControl[] = [];
    const groups = new Groups(NO_HOST);
    for (const [digit, waiting] of [
      ["a", 16_385],
      ["b", 16_384],
    ] as const) {
      const flow = new LooseFlow();
      groups.onFlow({ ...clientOf(digit.repeat(64), waiting), onGroup: (_, group) => void controls.push(group) }, flow);
      flow.onMessage?.(RECORDED_JOIN, 0);
    }
    expect(controls.map((control) => control.addNeighbor(SOMEBODY))).toEqual([false, true]);
    expect(groups.stats).toMatchObject({ told: 2, untold: 2 });
    const wrong: unknown[] = ["", "ab", "g".repeat(64), "0".repeat(65), undefined];
    for (const peerID of wrong) {
      const text = `expected a peer ID of 64 hex digits, got "${peerID}"`;
      expect(() => controls[1]?.addNeighbor(peerID as string)).toThrow(`addNeighbor: ${text}`);
      expect(() => controls[1]?.addMemberHint(peerID as string)).toThrow(`addMemberHint: ${text}`);
    }
    expect(groups.stats).toMatchObject({ told: 2, untold: 2 });
  });
});

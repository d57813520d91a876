/** Which fragments are sent to neighbours that ask for them. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import { MulticastCounters } from "../../../src/group/multicast/info.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { LOAD_MS, MIN_ROOM_BYTES, ROOM_MS } from "../../../src/group/multicast/params.ts";
import { PullOut } from "../../../src/group/multicast/pull-out.ts";
import { DEFAULT_MULTICAST_SETTINGS } from "../../../src/group/multicast/settings.ts";
import { newMulticastStats } from "../../../src/group/multicast/stats.ts";

/** A stream of which fragment 1 is here, heard of at 0, and so many neighbours. */
function scene(count: number, changes: Partial<typeof DEFAULT_MULTICAST_SETTINGS> = {}) {
  const links = Array.from({ length: count }, () => ({
    roomBytes: MIN_ROOM_BYTES,
    waitingBytes: 0,
    takenBytes: 0,
    within: [] as number[],
    refillPulls: () => {},
    sendFragment(_: Uint8Array, withinMs: number) {
      this.within.push(withinMs);
      return true;
    },
  }));
  const store = new FragmentStore(1_000_000);
  store.begin(1);
  store.put(1, new Uint8Array(1_000), 0);
  const stats = newMulticastStats();
  const out = new PullOut({
    store,
    stats,
    links: links as unknown as MediaLink[],
    counters: new MulticastCounters(),
    settings: { ...DEFAULT_MULTICAST_SETTINGS, ...changes },
  });
  const ask = (at: number, now: number): number | undefined => {
    const link = links[at];
    if (link === undefined) throw new RangeError("no such neighbour");
    link.within.length = 0;
    out.answer(link as unknown as MediaLink, 1, now);
    return link.within[0];
  };
  return { links, out, stats, ask };
}

describe("a member that is asked for a fragment", () => {
  it(...rfc("G-3"), "leaves it out while more waits for all neighbours together than they take within a moment", () => {
    const { links, out, stats, ask } = scene(16);
    // For each of them it is little.
    for (const link of links) link.waitingBytes = MIN_ROOM_BYTES / 16;
    expect(ask(3, 100)).toBeDefined();
    for (const link of links) link.waitingBytes += 1;
    expect(ask(3, 100)).toBeUndefined();
    expect(stats.skipped).toBe(1);
    // They take much.
    for (const link of links) link.takenBytes = 100_000;
    out.tick(2 * LOAD_MS);
    expect(ask(3, 1_000)).toBeDefined();
    const taken = 16 * 100_000;
    const room = MIN_ROOM_BYTES + (taken * ROOM_MS) / (2 * LOAD_MS);
    for (const link of links) link.waitingBytes = room / 16 + 1;
    expect(ask(3, 1_000)).toBeUndefined();
    // One that goes takes its count along.
    links.pop();
    for (const link of links) link.waitingBytes = 0;
    out.tick(4 * LOAD_MS);
    expect(ask(3, 2_000)).toBeDefined();
  });

  it(...rfc("G-3"), "sends it as long as it is of use: until others are asked, and no longer than it is kept", () => {
    expect(scene(1).ask(0, 100)).toBe(DEFAULT_MULTICAST_SETTINGS.fetchMs);
    expect(scene(1).ask(0, 9_000)).toBe(1_000);
    expect(scene(1, { fetchMs: 0 }).ask(0, 100)).toBe(1_000);
  });
});

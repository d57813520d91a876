/** To whom stripes are pushed where neighbours do not keep up. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { MulticastCounters } from "../../../src/group/multicast/info.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { LOAD_MS, STRIPES } from "../../../src/group/multicast/params.ts";
import { PushOut } from "../../../src/group/multicast/push-out.ts";
import { newMulticastStats } from "../../../src/group/multicast/stats.ts";

/** Neighbours that all ask for everything, of whom some are behind. */
function scene(isPublisher: boolean, behind: readonly boolean[]) {
  const sent = behind.map(() => new Set<number>());
  const links = behind.map((isBehind, at) => ({
    wants: 0,
    granted: 0,
    slowUntil: 0,
    isBehind: () => isBehind,
    has: () => false,
    sendFragment: ([id]: Uint8Array) => sent[at]?.add((id as number) % STRIPES) !== undefined,
  })) as unknown as MediaLink[];
  const host = { counters: new MulticastCounters(), stats: newMulticastStats(), copies: 1, isParent: () => false };
  const out = new PushOut(host, isPublisher);
  for (const link of links) out.want(link, (1 << STRIPES) - 1, 0);
  for (let turn = 1; turn <= 40; turn++) out.tick(turn * LOAD_MS, links);
  for (let id = 1; id <= STRIPES; id++) out.push(id, Uint8Array.of(id), undefined, 1_000);
  return sent.map(({ size }) => size);
}

describe("a publisher whose neighbours are all behind", () => {
  it(...rfc("G-3"), "goes on pushing each stripe to one of them: what nobody gets all would pull", () => {
    expect(scene(true, [true, true, true]).reduce((sum, count) => sum + count)).toBe(STRIPES);
    expect(scene(true, [true])).toEqual([STRIPES]);
  });

  it(...rfc("G-3"), "gives the stripes to those who keep up as soon as there are any", () => {
    const [slow, quick, other] = scene(true, [true, false, false]);
    expect([slow, (quick ?? 0) + (other ?? 0)]).toEqual([0, STRIPES]);
  });
});

describe("a relay whose neighbours are all behind", () => {
  it(...rfc("G-3"), "pushes to none of them for a while", () => {
    expect(scene(false, [true, true])).toEqual([0, 0]);
  });
});

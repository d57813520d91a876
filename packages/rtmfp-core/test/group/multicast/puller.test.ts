/** Whose fragments are answers to what was asked. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { Puller } from "../../../src/group/multicast/puller.ts";
import { newMulticastStats } from "../../../src/group/multicast/stats.ts";

/** A member that misses fragment 1, and neighbours who all have it. */
function scene(neighbours: number, rttMs = 50) {
  const store = new FragmentStore(1_000_000);
  store.begin(1);
  store.hear(1, 0);
  const stats = newMulticastStats();
  const puller = new Puller({
    store,
    stats,
    patienceMs: () => 0,
    leastPatienceMs: () => 0,
    doubtMs: () => 0,
    fetchMs: 2_500,
  });
  const asked: number[] = [];
  const links = Array.from({ length: neighbours }, (_, at) => ({
    isUp: true,
    pulls: 0,
    rttMs,
    has: () => true,
    send: () => asked.push(at) > 0,
  })) as unknown as MediaLink[];
  const wait = (turns: number): void => {
    for (let turn = 0; turn < turns; turn++) {
      now += 1_000;
      puller.tick(1, links, now);
    }
  };
  let now = 0;
  return { store, stats, puller, asked, links, wait };
}

describe("an answer", () => {
  it(...rfc("G-3"), "may come from each neighbour that was asked, however many were asked since", () => {
    const { stats, puller, asked, links, wait } = scene(5);
    wait(4);
    expect([new Set(asked).size > 2, stats.pullsUnanswered]).toEqual([true, 3]);
    const first = links[asked[0] as number] as MediaLink;
    const stranger = links.find((_, at) => !asked.includes(at)) as MediaLink;
    expect([puller.onFragment(1, stranger), puller.onFragment(1, first)]).toEqual([false, true]);
    expect([puller.pending, links.map(({ pulls }) => pulls)]).toEqual([0, [0, 0, 0, 0, 0]]);
  });

  it(
    ...rfc("G-3"),
    "is waited for, and asked for again, when somebody sends the fragment who was not asked and it is not taken",
    () => {
      const { puller, asked, links, wait } = scene(3);
      wait(1);
      const stranger = links.find((_, at) => at !== asked[0]) as MediaLink;
      expect(puller.onFragment(1, stranger)).toBe(false);
      wait(1);
      expect(asked.length).toBe(2);
    },
  );

  it(...rfc("G-3"), "is waited for no longer than the fetch period, however long round trips take at present", () => {
    const { asked, wait } = scene(3, 1_500);
    wait(3);
    expect(asked.length).toBe(1);
    wait(1);
    expect(asked.length).toBe(2);
  });

  it(...rfc("G-3"), "is not asked for again once the fragment is here, and nobody is who has gone", () => {
    const { store, puller, asked, links, wait } = scene(3);
    wait(2);
    puller.drop(links[asked[0] as number] as MediaLink);
    expect(puller.onFragment(1, links[asked[0] as number] as MediaLink)).toBe(false);
    store.put(1, Uint8Array.of(1), 0);
    wait(5);
    expect([asked.length, puller.pending]).toEqual([2, 0]);
  });
});

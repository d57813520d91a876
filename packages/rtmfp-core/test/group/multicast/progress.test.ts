/** How far a stream is believed to be. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { Output } from "../../../src/group/multicast/output.ts";
import { Progress } from "../../../src/group/multicast/progress.ts";
import { newMulticastStats } from "../../../src/group/multicast/stats.ts";
import { encodeFragment } from "../../../src/group/wire/fragment.ts";

/** A neighbour that told of fragments up to `told` just now, and brought the last one so long ago. */
function link(told: number, silentMs: number) {
  const made = { told, toldAt: NOW, broughtAt: NOW - silentMs, knownAt: 0, isBelieved: true, disbelieve: () => {} };
  made.disbelieve = () => {
    made.isBelieved = false;
  };
  return made;
}

/** What {@link Progress.check} says, and whether the furthest is believed. */
function check(links: readonly ReturnType<typeof link>[], newest: number, given: number) {
  const back = new Progress().check(links as unknown as MediaLink[], newest, given, NOW);
  return [back, links[0]?.isBelieved];
}

describe("a neighbour that is far ahead of the others and silent", () => {
  it(...rfc("G-3"), "has told a tale as far as nothing came of it, and what it brought is none", () => {
    expect(check([link(1_000, 2_000), link(700, 0)], 1_000, 650)).toEqual([700, false]);
    expect(check([link(1_000, 2_000), link(700, 0)], 1_000, 800)).toEqual([800, false]);
    expect(check([link(1_000, 2_000), link(700, 0)], 1_000, 1_000)).toEqual([undefined, true]);
    expect(check([link(1_000, 500), link(700, 0)], 1_000, 650)).toEqual([undefined, true]);
    expect(check([link(1_000, 2_000), link(900, 0)], 1_000, 650)).toEqual([undefined, true]);
  });
});

describe("a neighbour that pushes where the others tell every few seconds how far they are", () => {
  it(...rfc("G-3"), "tells no tale, and what it brings is taken, however their times lie", () => {
    const [perMs, mapMs] = [0.12, 2_600];
    for (const phases of [
      [0, 15, 30],
      [0, 900, 1_800],
      [0, 15, 1_300],
    ]) {
      const progress = new Progress();
      const others = phases.map(() => link(0, 0)) as unknown as MediaLink[];
      const pusher = link(0, 0) as unknown as MediaLink;
      const links = [...others, pusher];
      for (let now = NOW; now < NOW + 20_000; now += 5) {
        const live = Math.floor(perMs * now);
        others.forEach((other, i) => {
          if ((now - NOW) % mapMs === phases[i]) progress.tell(other, live, now);
        });
        if (now < NOW + mapMs) continue;
        const known = Math.max(...others.map(({ told }) => told));
        expect(progress.fragmentLimit(pusher, links, known, now)).toBeGreaterThanOrEqual(live);
        progress.tell(pusher, live, now);
        pusher.broughtAt = now;
        expect(progress.check(links, live, known, now)).toBeUndefined();
      }
    }
  });
});

describe("how far a stream may be", () => {
  it(...rfc("G-3"), "is a fragment, however fast it is: half an id beyond it has no place in a store", () => {
    const progress = new Progress();
    const [ahead, ...others] = [0, 0, 0].map(() => link(0, 0)) as unknown as MediaLink[];
    const links = [ahead!, ...others];
    for (let now = NOW; now <= NOW + 7_000; now += 700) {
      for (const other of others) progress.tell(other, Math.floor((now - NOW) * 0.0737) + 1, now);
      progress.check(links, 1, 1, now);
    }
    const now = NOW + 7_300;
    ahead!.broughtAt = now;
    const ids = [
      progress.limit(ahead!, links, 500, now),
      progress.fragmentLimit(ahead!, links, 500, now),
      progress.believed(ahead!, 10_000, links, 500, now),
    ];
    expect(ids).toEqual(ids.map(Math.floor));
    for (const id of ids) expect(id).toBeGreaterThan(500 + 64);
  });
});

describe("the way out of a store", () => {
  it(
    ...rfc("G-3"),
    "knows the last fragment that came out, and gives nothing twice when it goes back behind that",
    () => {
      const store = new FragmentStore(1_000_000);
      const times: number[] = [];
      const output = new Output(store, newMulticastStats(), ({ timestamp }) => void times.push(timestamp));
      store.begin(1);
      const put = (id: number): void => {
        const payload = new Uint8Array(4);
        store.put(id, encodeFragment({ kind: "whole", id, left: 0, type: 8, timestamp: id, payload }), 0);
      };
      for (const id of [1, 2, 3, 5]) put(id);
      store.hear(9, 0);
      output.begin(1);
      output.drain(0, 8_000);
      expect([output.next, output.given, times]).toEqual([4, 3, [1, 2, 3]]);
      output.drain(8_000, 8_000);
      expect([output.next, output.given, times]).toEqual([10, 5, [1, 2, 3, 5]]);
      output.begin(output.given + 1);
      for (const id of [6, 7]) put(id);
      output.drain(8_000, 9_000);
      expect([output.next, output.given, times]).toEqual([8, 7, [1, 2, 3, 5, 6, 7]]);
      output.begin(3);
      expect(output.given).toBe(2);
    },
  );

  it(...rfc("G-3"), "gives nothing more to who stops it when a message has come", () => {
    const store = new FragmentStore(1_000_000);
    const times: number[] = [];
    const output: Output = new Output(store, newMulticastStats(), ({ timestamp }) => {
      times.push(timestamp);
      if (times.length === 3) output.stop();
    });
    store.begin(1);
    for (let id = 1; id <= 9; id++) {
      const payload = new Uint8Array(4);
      store.put(id, encodeFragment({ kind: "whole", id, left: 0, type: 8, timestamp: id, payload }), 0);
    }
    output.begin(4);
    output.drain(0, 8_000);
    expect([output.next, times]).toEqual([0, [4, 5, 6]]);
  });
});

const NOW = 100_000;

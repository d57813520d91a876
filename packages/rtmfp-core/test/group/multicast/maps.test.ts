/** Who is told when what is here. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { Maps } from "../../../src/group/multicast/maps.ts";

/** Neighbours who have had their first map, and how many each is told since. */
function scene(neighbours: number) {
  const store = new FragmentStore(1_000_000);
  const maps = new Maps(store);
  const told = new Array<number>(neighbours).fill(0);
  const links = told.map((_, at) => ({
    isUp: true,
    mapVersion: 1,
    send: () => {
      told[at]!++;
      return true;
    },
  })) as unknown as MediaLink[];
  let now = 0;
  /** A tick after `ms`, with something new to tell. */
  const tick = (ms: number, sendToAll = false): void => {
    now += ms;
    store.put(store.newest + 1, new Uint8Array(1), now);
    store.put(store.newest + 1, new Uint8Array(1), now);
    maps.tick(links, 100, sendToAll, now);
  };
  return { told, tick };
}

describe("maps", () => {
  it(...rfc("G-3"), "go to one neighbour each period", () => {
    const { told, tick } = scene(4);
    for (let i = 0; i < 6; i++) tick(100);
    expect(told).toEqual([2, 2, 1, 1]);
  });

  it(...rfc("G-3"), "go to as many neighbours as periods have passed where ticks come late, to each once", () => {
    const { told, tick } = scene(4);
    tick(350);
    expect(told).toEqual([1, 1, 1, 0]);
    tick(1_000);
    expect(told).toEqual([2, 2, 2, 1]);
  });

  it(...rfc("G-3"), "go to all neighbours where the publisher says so", () => {
    const { told, tick } = scene(3);
    tick(50, true);
    tick(50, true);
    expect(told).toEqual([1, 1, 1]);
  });
});

import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { GroupRing } from "../src/group-ring.ts";

const member = (address: string) => ({ address });
const addresses = (members: readonly { address: string }[]): string => members.map(({ address }) => address).join("");

describe("a ring", () => {
  it("gives the nearest on each side, across its ends, each once and never the one that asks", () => {
    const ring = new GroupRing();
    for (const address of "chaebdfg") ring.add(member(address));
    expect(addresses(ring.neighbours("d", 3))).toBe("cebfag");
    expect(addresses(ring.neighbours("a", 2))).toBe("hbgc");
    expect(addresses(ring.neighbours("z", 2))).toBe("hagb");
    expect(addresses(ring.neighbours("dd", 1))).toBe("de");
    const small = new GroupRing();
    expect(addresses(small.neighbours("a", 3))).toBe("");
    for (const address of "bac") {
      small.add(member(address));
      expect(addresses(small.neighbours("b", 3)).includes("b")).toBe(false);
    }
    expect(addresses(small.neighbours("b", 3))).toBe("ac");
  });

  it("gives as many as there are, whatever its size", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 10, max: 99 }).map(String)),
        fc.integer({ min: 10, max: 99 }),
        (all, asks) => {
          const ring = new GroupRing<{ address: string }>();
          for (const address of all) ring.add(member(address));
          const others = all.filter((address) => address !== String(asks));
          const near = ring.neighbours(String(asks), 3).map(({ address }) => address);
          expect(near.length).toBe(Math.min(6, others.length));
          expect(new Set(near).size).toBe(near.length);
          expect(others).toEqual(expect.arrayContaining(near));
        },
      ),
    );
  });

  it(...rfc("F-13", "G-6"), "says which pairs a member that is gone had kept out of reach of each other", () => {
    const ring = new GroupRing();
    for (const address of "abcdefgh") ring.add(member(address));
    const pairs = (address: string, reach: number) => ring.broughtTogether(address, reach).map(addresses);
    expect(pairs("dd", 3)).toEqual(["be", "cf", "dg"]);
    expect(pairs("a0", 3)).toEqual(["gb", "hc", "ad"]);
    expect(pairs("z", 1)).toEqual(["ha"]);
    expect(pairs("dd", 4)).toEqual([]);
    const withinReach = (of: GroupRing<{ address: string }>) =>
      of.members.flatMap(({ address }) => of.neighbours(address, 3).map((other) => `${address} ${other.address}`));
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 10, max: 99 }).map(String), { minLength: 1 }), (all) => {
        const ring = new GroupRing<{ address: string }>();
        for (const address of all) ring.add(member(address));
        const before = new Set(withinReach(ring));
        const gone = ring.at(all[0] as string) as { address: string };
        ring.remove(gone);
        const told = ring
          .broughtTogether(gone.address, 3)
          .flatMap(([one, other]) => [`${one.address} ${other.address}`, `${other.address} ${one.address}`]);
        expect(told.sort()).toEqual(
          withinReach(ring)
            .filter((pair) => !before.has(pair))
            .sort(),
        );
      }),
    );
  });

  it("finds a member by its address until it is removed", () => {
    const ring = new GroupRing();
    const [first, second] = [member("b"), member("a")];
    ring.add(first);
    ring.add(second);
    expect([ring.at("a"), ring.at("b"), ring.at("aa")]).toEqual([second, first, undefined]);
    ring.remove(second);
    expect([ring.at("a"), ring.at("b"), ring.size]).toEqual([undefined, first, 1]);
  });
});

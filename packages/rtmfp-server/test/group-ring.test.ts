import fc from "fast-check";
import { describe, expect, it } from "vitest";
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

import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { bestList, bestListSize } from "../../src/group/best-list.ts";
import { estimateMembers } from "../../src/group/estimate.ts";
import type { Link } from "../../src/group/link.ts";
import { Member, MemberList, nearest } from "../../src/group/member-list.ts";
import { OwnAddresses } from "../../src/group/own-addresses.ts";
import { coverageOf, distanceUp } from "../../src/group/ring-space.ts";
import { Prng } from "../../src/testing/index.ts";

/** The address at a part of the circle from 0 up to 1, in 1/65536. */
function at(place: number): string {
  return Math.round(place * 65_536)
    .toString(16)
    .padStart(4, "0")
    .padEnd(64, "0");
}

/** Members at equal distances, the first at 0; their IDs are their numbers. */
function circle(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => new Member(String(i), at(i / count), 0));
}

function ids(members: Iterable<Member>): number[] {
  return [...members].map(({ peerId }) => Number(peerId));
}

describe("the best list", () => {
  it(...rfc("G-6"), "has log2(N) + 13 members, or all that are known", () => {
    const sizes = [
      [1, 50],
      [2, 50],
      [10, 50],
      [1_000, 50],
      [1_000_000, 200],
      [1_000, 9],
      [0, 0],
    ] as const;
    expect(sizes.map(([estimate, known]) => bestListSize(estimate, known))).toEqual([13, 14, 16, 22, 32, 9, 0]);
  });

  it(...rfc("G-6"), "is everybody where no more than six are known", () => {
    const ring = circle(7);
    const input = { ring, address: at(0), size: 6, quickest: [], chance: undefined };
    expect(ids(bestList(input))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ids(bestList({ ...input, ring: ring.slice(0, 6), address: at(0.9) }))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it(...rfc("G-6"), "begins with three on each side, then the six quickest, one by chance, and far ones", () => {
    const ring = circle(64);
    const quickest = [1, 20, 21, 22, 23, 24, 25, 26].map((i) => ring[i] as Member);
    const list = bestList({ ring, address: at(0), size: 19, quickest, chance: ring[40] });
    expect(ids(list).slice(0, 13)).toEqual([63, 1, 62, 2, 61, 3, 20, 21, 22, 23, 24, 25, 40]);
    // Jumps of 1/64, 1/32, 1/16, 1/8, 1/4 and 1/2 of the ring, one after the other; who is in the list gives way to the next.
    expect(ids(list).slice(13)).toEqual([4, 5, 7, 15, 31, 6]);
    expect(list.size).toBe(19);
  });

  it(...rfc("G-6"), "prefers those far away that are neighbours already", () => {
    const ring = circle(64);
    const input = { ring, address: at(0), size: 12, quickest: [], chance: undefined };
    const before = ids(bestList(input));
    const far = ring[34] as Member;
    expect(before).not.toContain(34);
    far.link = {} as Link;
    expect(ids(bestList(input))).toContain(34);
  });

  it(...rfc("G-6"), "never has its owner, nor one twice, nor more than its size", () => {
    const prng = new Prng("lists");
    for (let run = 0; run < 200; run++) {
      const ring = circle(7 + prng.int(60));
      const owner = ring[prng.int(ring.length)] as Member;
      const size = 6 + prng.int(30);
      const quickest = ring.filter(() => prng.chance(0.3));
      const list = bestList({ ring, address: owner.address, size, quickest, chance: ring[prng.int(ring.length)] });
      expect(list.has(owner)).toBe(false);
      expect(list.size).toBe(Math.min(size, ring.length - 1));
    }
  });
});

describe("the ring", () => {
  it(...rfc("G-6"), "gives those next to an address, whether somebody is there or not, and across its end", () => {
    const ring = circle(10);
    expect(ids(nearest(ring, at(0), 2))).toEqual([9, 1, 8, 2]);
    expect(ids(nearest(ring, at(0.05), 2))).toEqual([0, 1, 9, 2]);
    expect(ids(nearest(ring, at(0.99), 2))).toEqual([9, 0, 8, 1]);
    expect(ids(nearest(ring.slice(0, 3), at(0), 3))).toEqual([2, 1]);
    expect(nearest([], at(0), 3)).toEqual([]);
  });

  it(...rfc("G-6"), "measures upwards, and divides what is between two among them", () => {
    expect(distanceUp(at(0.25), at(0.5))).toBe(1n << 254n);
    expect(distanceUp(at(0.5), at(0.25))).toBe(3n << 254n);
    const { from, to } = coverageOf(at(0.75), at(0), at(0.5));
    expect([from, to]).toEqual([`${at(0.875).slice(0, 63)}1`, at(0.25)]);
    const alone = coverageOf(at(0), at(0), at(0));
    expect([alone.from, alone.to]).toEqual([`${at(0.5).slice(0, 63)}1`, at(0.5)]);
  });

  it(...rfc("G-6"), "keeps neighbours and those next to us when it is full, and lets go of the oldest news", () => {
    const list = new MemberList(at(0));
    const all = Array.from({ length: 300 }, (_, i) => new Member(String(i), at((i + 1) / 302), 0));
    const linked = all[150] as Member;
    linked.link = {} as Link;
    for (const [i, member] of all.entries()) {
      member.heardAt = i;
      expect(list.add(member)).toBe(true);
    }
    expect(list.size).toBe(256);
    expect(ids(list.ring).slice(0, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(list.get("150")).toBe(linked);
    expect(list.get("20")).toBeUndefined();
    expect(ids(list.ring)).toEqual([...ids(list.ring)].sort((a, b) => a - b));
    list.remove(linked);
    expect([list.size, list.get("150")]).toEqual([255, undefined]);
  });

  it(...rfc("G-6"), "has room for 64 of whom one member alone told", () => {
    const list = new MemberList(at(0));
    const [liar, other] = [new Member("liar", at(0.001), 0), new Member("other", at(0.002), 0)];
    for (const member of [liar, other]) list.add(member);
    const told = Array.from({ length: 100 }, (_, i) => new Member(String(i), at(0.01 + i / 200), 0));
    for (const [i, member] of told.entries()) {
      member.toldBy = liar;
      member.heardAt = i;
      list.add(member);
    }
    expect([list.size, liar.told]).toEqual([66, 64]);
    expect(list.get("99")).toBe(told[99]);
    // What another has news of, too, is no longer the liar's.
    list.confirm(told[99] as Member);
    expect(liar.told).toBe(63);
  });

  it(...rfc("G-6"), "says how many there are by how close the nearest are", () => {
    const ring = circle(1_024).slice(1);
    expect(estimateMembers(ring, at(0), false)).toBe(1_024);
    // Of those far away hardly anybody is known.
    const known = ring.filter((_, i) => i < 3 || i > 1_019 || i % 100 === 0);
    const estimate = estimateMembers(known, at(0), false);
    expect(estimate).toBeGreaterThan(700);
    expect(estimate).toBeLessThan(1_100);
    expect(estimateMembers(ring.slice(0, 4), at(0), false)).toBe(5);
    expect(estimateMembers(ring.slice(0, 40), at(0), true)).toBe(41);
    expect(estimateMembers([], at(0), true)).toBe(1);
  });
});

describe("our own addresses", () => {
  it(...rfc("G-6"), "are those that most neighbours see, each of whom has one say", () => {
    const own = new OwnAddresses();
    const links = Array.from({ length: 4 }, () => ({}) as Link);
    const say = (i: number, host: string) => own.learn(links[i] as Link, { host, port: 1935, origin: 0 });
    say(0, "198.51.100.1");
    say(1, "203.0.113.1");
    expect(own.best.map(({ host }) => host)).toEqual(["198.51.100.1", "203.0.113.1"]);
    say(2, "203.0.113.1");
    say(3, "0.0.0.0");
    expect(own.best).toEqual([{ host: "203.0.113.1", port: 1935, origin: 2 }]);
    say(0, "203.0.113.1");
    own.forget(links[1] as Link);
    own.forget(links[2] as Link);
    expect(own.best.length).toBe(1);
    own.forget(links[0] as Link);
    expect(own.best).toEqual([]);
  });
});

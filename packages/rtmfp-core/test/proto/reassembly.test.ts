import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { FragmentControl } from "../../src/proto/chunk/types.ts";
import {
  HELD_PART_COST_BYTES,
  HELD_SEGMENT_COST_BYTES,
  MAX_HELD_RUNS,
  UNREAD_MESSAGE_COST_BYTES,
} from "../../src/proto/params.ts";
import { costOf, Reassembly, type ReceivedMessage, unreadCostOf } from "../../src/proto/reassembly.ts";

interface Fragment {
  readonly sn: number;
  readonly control: FragmentControl;
}

/** The fragments of messages of so many pieces each, one byte a piece: its sequence number. */
function fragmentsOf(sizes: readonly number[]): Fragment[] {
  let sn = 0;
  return sizes.flatMap((size) =>
    Array.from({ length: size }, (_, i) => {
      const first = i === 0;
      const last = i === size - 1;
      const partial = first ? FragmentControl.begin : last ? FragmentControl.end : FragmentControl.middle;
      return { sn: ++sn, control: first && last ? FragmentControl.whole : partial };
    }),
  );
}

/** Messages as lists of sequence numbers. */
function messagesOf(sizes: readonly number[]): number[][] {
  let sn = 0;
  return sizes.map((size) => Array.from({ length: size }, () => ++sn));
}

const arrivals = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }).chain((sizes) => {
  const all = fragmentsOf(sizes);
  return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }).map((order) => ({ sizes, order }));
});

describe("reassembly", () => {
  it("gives every message once, in order, whatever the order of its fragments", () => {
    fc.assert(
      fc.property(arrivals, ({ sizes, order }) => {
        const reassembly = new Reassembly();
        const seen = new Set([0]);
        const out: number[][] = [];
        for (const { sn, control } of order) {
          reassembly.add(sn, control, Uint8Array.of(sn));
          seen.add(sn);
          let csn = 0;
          while (seen.has(csn + 1)) csn++;
          reassembly.takeInSequence(csn, { deliver: ({ data }) => void out.push([...data]) });
          const complete = messagesOf(sizes).filter((message) => (message.at(-1) as number) <= csn);
          expect(out).toEqual(complete);
        }
        expect(out).toEqual(messagesOf(sizes));
        expect(reassembly.heldCount).toBe(0);
        expect(reassembly.heldBytes).toBe(0);
      }),
    );
  });

  it("gives each message with its last fragment in network order", () => {
    fc.assert(
      fc.property(arrivals, ({ sizes, order }) => {
        const reassembly = new Reassembly();
        const seen = new Set([0]);
        for (const { sn, control } of order) {
          const out: number[][] = [];
          reassembly.add(sn, control, Uint8Array.of(sn));
          seen.add(sn);
          let csn = 0;
          while (seen.has(csn + 1)) csn++;
          reassembly.takeCompleted({ deliver: ({ data }) => void out.push([...data]) });
          reassembly.dropAbandoned(csn, 0);
          const completed = messagesOf(sizes).filter(
            (message) => message.includes(sn) && message.every((each) => seen.has(each)),
          );
          expect(out).toEqual(completed);
        }
        expect(reassembly.heldCount).toBe(0);
      }),
    );
  });

  it("gives a message of 16,384 fragments that come from its end to its beginning, and what is left of others", () => {
    const count = 16_384;
    const reassembly = new Reassembly();
    const { end, middle, begin } = FragmentControl;
    for (let sn = count; sn >= 1; sn--)
      reassembly.add(sn, sn === count ? end : sn === 1 ? begin : middle, Uint8Array.of(sn & 255));
    reassembly.add(count + 1, begin, Uint8Array.of(1));
    reassembly.add(count + 3, begin, Uint8Array.of(1));
    const out: Uint8Array[] = [];
    reassembly.takeInSequence(count + 1, { deliver: ({ data }) => void out.push(data) });
    expect(out.map((data) => [data.length, data[0], data.at(-1)])).toEqual([[count, 1, 0]]);
    expect([reassembly.heldCount, reassembly.heldBytes]).toEqual([2, 2]);
    reassembly.dropAbandoned(count + 2, 0);
    expect(reassembly.heldCount).toBe(1);
  });

  it("takes thousands of runs from the front, and parts them, without a move of those behind", () => {
    const count = 4_096;
    let moved = 0;
    const { splice } = Array.prototype;
    const spy = vi.spyOn(Array.prototype, "splice").mockImplementation(function (this: unknown[], ...args) {
      moved += this.length;
      return splice.apply(this, args as never);
    });
    const { whole, begin } = FragmentControl;
    for (const take of ["takeInSequence", "dropAbandoned", "takeAllCompleted"] as const) {
      const reassembly = new Reassembly();
      for (let i = 0; i < count; i++) {
        reassembly.add(4 * i + 2, begin, Uint8Array.of(1));
        reassembly.add(4 * i + 3, whole, Uint8Array.of(2));
        reassembly.add(4 * i + 4, begin, Uint8Array.of(3));
      }
      moved = 0;
      const out: number[] = [];
      const sink = { deliver: ({ data }: ReceivedMessage) => void out.push(data[0] as number) };
      if (take === "takeAllCompleted") reassembly.takeAllCompleted(sink);
      else if (take === "takeInSequence") reassembly.takeInSequence(4 * count + 9, sink);
      else reassembly.dropAbandoned(4 * count + 9, 0);
      expect(out.length).toBe(take === "dropAbandoned" ? 0 : count);
      expect(reassembly.heldCount).toBe(take === "takeAllCompleted" ? 2 * count : 0);
      expect(moved).toBeLessThan(count);
      reassembly.dropAbandoned(4 * count + 9, 0);
      expect(reassembly.heldCount).toBe(0);
    }
    spy.mockRestore();
  });

  it("gives the same after its runs have been parted", () => {
    fc.assert(
      fc.property(arrivals, fc.nat(), ({ sizes, order }, at) => {
        const reassembly = new Reassembly();
        const out: number[][] = [];
        const sink = { deliver: ({ data }: ReceivedMessage) => void out.push([...data]) };
        const part = at % order.length;
        order.forEach(({ sn, control }, i) => {
          reassembly.add(sn, control, Uint8Array.of(sn));
          if (i === part) reassembly.takeAllCompleted(sink);
          else if (i > part) reassembly.takeCompleted(sink);
        });
        expect(out.sort(([a = 0], [b = 0]) => a - b)).toEqual(messagesOf(sizes));
        expect(reassembly.heldCount).toBe(0);
      }),
    );
  });

  it("is full for one run more than it may have, but not for what follows on one or precedes one", () => {
    const reassembly = new Reassembly();
    for (let i = 0; i < MAX_HELD_RUNS; i++) {
      expect(reassembly.isFullFor(3 * i + 3)).toBe(false);
      reassembly.add(3 * i + 3, FragmentControl.middle, Uint8Array.of(1));
    }
    const top = 3 * MAX_HELD_RUNS;
    expect([1, 2, 4, 5, top + 1, top + 2].map((sn) => reassembly.isFullFor(sn))).toEqual([
      true,
      false,
      false,
      false,
      false,
      true,
    ]);
    reassembly.takeInSequence(3, { deliver: () => {} });
    expect(reassembly.isFullFor(top + 2)).toBe(false);
  });

  it("copies small fragments together and keeps large ones as they are, and joins both", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const reassembly = new Reassembly();
        const { end, middle, begin } = FragmentControl;
        const packet = new Uint8Array(2_000);
        const bytes: number[] = [];
        sizes.forEach((size, i) => {
          const data = size < 300 ? packet.subarray(0, size) : new Uint8Array(size);
          data.fill(i);
          bytes.push(...data);
          reassembly.add(i + 1, i === 0 ? begin : i === sizes.length - 1 ? end : middle, data);
        });
        expect(reassembly.heldBytes).toBe(bytes.length);
        const out: Uint8Array[] = [];
        reassembly.takeInSequence(sizes.length, { deliver: ({ data }) => void out.push(data) });
        expect(out.map((data) => [...data])).toEqual([bytes]);
      }),
    );
  });

  it("costs the memory that it keeps, whatever arrives in which order, and nothing once that is out", () => {
    const sizes = fc.array(fc.record({ size: fc.nat(2_000), packet: fc.nat(9_000) }), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(arrivals, sizes, fc.boolean(), ({ order }, pieces, hold) => {
        const reassembly = new Reassembly();
        const sink = { deliver: () => {} };
        const seen = new Set([0]);
        for (const [i, { sn, control }] of order.entries()) {
          const { size, packet } = pieces[i % pieces.length] as { size: number; packet: number };
          const data = new Uint8Array(size + packet).subarray(packet >> 1, (packet >> 1) + size);
          const before = reassembly.heldCost;
          reassembly.add(sn, control, data);
          reassembly.settle();
          expect(reassembly.heldCost - before).toBeLessThanOrEqual(costOf(data) + 6_144);
          expect(reassembly.heldCost).toBeGreaterThan(reassembly.heldBytes);
          seen.add(sn);
          let csn = 0;
          while (seen.has(csn + 1)) csn++;
          if (!hold) reassembly.takeInSequence(csn, sink);
          if (reassembly.heldCount === 0) expect(reassembly.heldCost).toBe(0);
        }
        reassembly.takeAllCompleted(sink);
        expect([reassembly.heldCount, reassembly.heldBytes, reassembly.heldCost]).toEqual([0, 0, 0]);
      }),
    );
  });

  it("keeps no more than twice what it holds of the packets it came in, and one piece of each as it is", () => {
    const { whole, begin, middle } = FragmentControl;
    for (const control of [whole, begin, middle]) {
      const reassembly = new Reassembly();
      const packet = new Uint8Array(6_144);
      const add = (sn: number, data: Uint8Array): number => {
        const before = reassembly.heldCost;
        reassembly.add(sn, control, data);
        reassembly.settle();
        return reassembly.heldCost - before - HELD_SEGMENT_COST_BYTES;
      };
      expect(add(2, packet.subarray(0, 1_229))).toBe(1_229);
      expect(add(4, packet.subarray(1_229, 4_301))).toBe(3_072);
      expect(add(6, packet.subarray(0, 3_073))).toBe(6_144);
      const out: Uint8Array[] = [];
      if (control !== whole) continue;
      reassembly.takeAllCompleted({ deliver: ({ data }) => void out.push(data) });
      expect(out.map(({ buffer }) => buffer === packet.buffer)).toEqual([false, false, true]);
      expect(out.map(unreadCostOf)).toEqual([1_229, 3_072, 6_144].map((bytes) => bytes + UNREAD_MESSAGE_COST_BYTES));
    }
  });

  it("charges memory once to the fragments in a row that fill it, and copies those that come alone in it", () => {
    for (const { perPacket, least, most } of [
      { perPacket: 4, least: 1, most: 1.2 },
      { perPacket: 1, least: 1.5, most: 2.2 },
    ]) {
      const reassembly = new Reassembly();
      let packet = new Uint8Array(4_864);
      for (let i = 0; i < 400; i++) {
        if (i % perPacket === 0) packet = new Uint8Array(4_864);
        const at = 1_216 * (i % perPacket);
        const control = i === 0 ? FragmentControl.begin : FragmentControl.middle;
        reassembly.add(i + 1, control, packet.subarray(at, at + 1_200));
        reassembly.settle();
      }
      const ratio = (reassembly.heldCost - 400 * HELD_PART_COST_BYTES) / reassembly.heldBytes;
      expect([ratio >= least, ratio <= most], `${ratio}`).toEqual([true, true]);
    }
  });

  it("tells of the memory of large packets once it is copied, and keeps no two pieces of one", () => {
    const spent: Uint8Array[] = [];
    const reassembly = new Reassembly((memory) => spent.push(memory));
    const packets = [1, 2, 3].map((fill) => new Uint8Array(8_176).fill(fill));
    const [first, second, third] = packets as [Uint8Array, Uint8Array, Uint8Array];
    reassembly.add(1, FragmentControl.begin, first.subarray(20));
    reassembly.add(2, FragmentControl.middle, second.subarray(20));
    reassembly.add(3, FragmentControl.end, third.subarray(20, 120));
    reassembly.add(4, FragmentControl.begin, third.subarray(120, 4_208));
    const out: Uint8Array[] = [];
    reassembly.takeInSequence(4, { deliver: ({ data }) => void out.push(data) });
    expect(spent.map(({ buffer }) => packets.findIndex((packet) => packet.buffer === buffer))).toEqual([0, 1]);
    for (const { buffer } of spent) new Uint8Array(buffer).fill(0xee);
    third.fill(0xee);
    reassembly.add(5, FragmentControl.end, Uint8Array.of(9));
    reassembly.takeInSequence(5, { deliver: ({ data }) => void out.push(data) });
    expect(out.map((data) => [data.length, data.includes(0xee)])).toEqual([
      [16_412, false],
      [4_089, false],
    ]);
    expect(spent.length).toBe(2);
  });
});

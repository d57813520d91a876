import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import { Fragmenter } from "../../../src/group/multicast/fragmenter.ts";
import { Opening } from "../../../src/group/multicast/opening.ts";
import { type MediaMessage, Reassembler } from "../../../src/group/multicast/reassembler.ts";
import { decodeFragment, type Fragment } from "../../../src/group/wire/fragment.ts";
import { fromHex, toHex } from "../../../src/proto/bytes.ts";

interface Given extends MediaMessage {
  readonly missing: number;
}

function collect(): { reassembler: Reassembler; given: Given[] } {
  const given: Given[] = [];
  return { reassembler: new Reassembler((message, missing) => given.push({ ...message, missing })), given };
}

function part(kind: Fragment["kind"], payload: string, type = 9, timestamp = 5): Fragment {
  return { kind, id: 1, left: 0, type, timestamp, payload: fromHex(payload) };
}

describe("messages of a stream", () => {
  it(...rfc("G-3"), "are cut into fragments of 959 bytes, with ids from 1 and the number of those to come", () => {
    const fragmenter = new Fragmenter();
    const first = fragmenter.cut(8, 0xd1, fromHex("af01"));
    expect(first.map(toHex)).toEqual(["200108000000d1af01"]);
    const key = fragmenter.cut(9, 0x67, new Uint8Array(4_967).fill(1));
    const heads = ["300205090000006701", "10030401", "10040301", "10050201", "10060101", "000701"];
    expect(key.map((bytes, i) => toHex(bytes.subarray(0, (heads[i]?.length ?? 0) / 2)))).toEqual(heads);
    expect(key.map((bytes) => decodeFragment(bytes)?.payload.length)).toEqual([959, 959, 959, 959, 959, 172]);
    expect(fragmenter.cut(18, 0, new Uint8Array(0)).map(toHex)).toEqual(["20081200000000"]);
    expect(fragmenter.counts).toEqual({ audio: 1, video: 6, data: 1 });
  });

  it(...rfc("G-3"), "come out as they went in, however long", () => {
    const message = fc.record({ type: fc.constantFrom(8, 9, 18), timestamp: fc.nat(), length: fc.nat(300_000) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const fragmenter = new Fragmenter();
        const { reassembler, given } = collect();
        for (const { type, timestamp, length } of messages) {
          const payload = new Uint8Array(length).map((_, i) => i % 251);
          for (const bytes of fragmenter.cut(type, timestamp, payload)) {
            const fragment = decodeFragment(bytes);
            if (fragment !== undefined) reassembler.add(fragment);
          }
        }
        expect(given.map(({ type, timestamp, payload }) => ({ type, timestamp, length: payload.length }))).toEqual(
          messages,
        );
        for (const { payload, missing } of given) {
          expect(missing).toBe(0);
          expect(payload.every((byte, i) => byte === i % 251)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it(...rfc("G-3"), "are left out where a part is lost, and the next one says how many were", () => {
    const { reassembler, given } = collect();
    reassembler.add(part("next", "aa"));
    reassembler.add(part("end", "bb"));
    reassembler.add(part("start", "01"));
    reassembler.skip(2);
    reassembler.add(part("next", "03"));
    reassembler.add(part("end", "04"));
    reassembler.add(part("whole", "05", 8));
    reassembler.add(part("whole", "06", 8));
    expect(given.map(({ payload, missing }) => [toHex(payload), missing])).toEqual([
      ["05", 2],
      ["06", 0],
    ]);
  });

  it(...rfc("G-3"), "of some peers are a last part alone, of the type of the message before", () => {
    const { reassembler, given } = collect();
    reassembler.add(part("start", "01", 9, 40));
    reassembler.add(part("end", "02"));
    reassembler.add(part("end", "03"));
    expect(given.map(({ type, timestamp, payload }) => [type, timestamp, toHex(payload)])).toEqual([
      [9, 40, "0102"],
      [9, 40, "03"],
    ]);
  });

  it(...rfc("G-3"), "that never end are given up at 16 MiB", () => {
    const { reassembler, given } = collect();
    reassembler.add(part("start", "01"));
    const piece = { ...part("next", ""), payload: new Uint8Array(1 << 20) };
    for (let i = 0; i < 17; i++) reassembler.add(piece);
    reassembler.add(part("end", "02"));
    reassembler.add(part("whole", "03"));
    expect(given.map(({ payload }) => toHex(payload))).toEqual(["03"]);
    expect(given[0]?.missing).toBeGreaterThan(0);
  });
});

describe("the fragments at hand", () => {
  it(...rfc("G-3"), "are kept by id, with the time when each was first heard of", () => {
    const store = new FragmentStore(1_000_000);
    store.begin(100);
    store.hear(102, 10);
    store.put(101, Uint8Array.of(1), 20);
    store.put(900, Uint8Array.of(2), 30);
    expect([store.has(100), store.has(101), store.has(102), store.has(900), store.has(99), store.has(901)]).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
    expect([store.heardAt(101), store.heardAt(103), store.heardAt(900)]).toEqual([10, 30, 30]);
    store.expire(30);
    expect([store.oldest, store.newest, store.bytes, store.has(900)]).toEqual([103, 900, 1, true]);
  });

  it(...rfc("G-3"), "give way to newer ones beyond so many bytes, and beyond 65,536", () => {
    const store = new FragmentStore(2_500);
    for (let id = 1; id <= 5; id++) store.put(id, new Uint8Array(1_000), 0);
    expect([store.oldest, store.bytes]).toEqual([4, 2_000]);
    store.hear(5 + 65_536, 1);
    expect([store.oldest, store.newest, store.bytes]).toEqual([6, 65_541, 0]);
    store.hear(10_000_000, 2);
    expect(store.newest - store.oldest).toBe(65_535);
  });
});

describe("what decoders need first", () => {
  const avc = fromHex("17000000000164001f");
  const aac = fromHex("af001210");
  const metadata = fromHex("02000a6f6e4d65746144617461");
  const key = fromHex("1701000000");
  const inter = fromHex("2701000000");
  const sound = fromHex("af0121");

  it(
    ...rfc("G-3"),
    "is said again before key frames, at most every 0.9 s, sound with pictures, and before sound every second",
    () => {
      const opening = new Opening();
      const at = (now: number, type: number, payload: Uint8Array): string =>
        opening
          .before(type, payload, now)
          .map((each) => `${each.type}:${toHex(each.payload.slice(0, 2))}`)
          .join(" ");
      expect(at(0, 18, metadata) + at(0, 9, avc) + at(0, 8, aac)).toBe("");
      expect(at(500, 9, key)).toBe("");
      expect(at(900, 9, inter)).toBe("");
      expect(at(900, 9, key)).toBe("9:1700 8:af00");
      expect(at(1_899, 8, sound)).toBe("");
      expect(at(1_900, 8, sound)).toBe("8:af00");
      expect(at(2_000, 9, key)).toBe("9:1700 8:af00");
      expect(at(2_500, 9, key)).toBe("");
      expect(at(5_000, 9, key)).toBe("18:0200 9:1700 8:af00");
    },
  );

  it(...rfc("G-3"), "is taken from enhanced headers too, and never from long messages", () => {
    const opening = new Opening();
    opening.before(9, fromHex("9068766331"), 0);
    expect(opening.before(9, fromHex("9168766331"), 1_000)).toHaveLength(1);
    const transport = new Opening();
    expect(transport.before(9, fromHex("9568766331"), 0)).toEqual([]);
    expect(transport.before(9, fromHex("9168766331"), 1_000)).toEqual([{ type: 9, payload: fromHex("9568766331") }]);
    const long = new Uint8Array(10_000);
    long.set(avc);
    opening.before(9, long, 2_000);
    expect(opening.before(9, key, 5_000)).toEqual([]);
  });
});

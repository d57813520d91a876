import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { decodeFlv, FlvReader } from "../../src/flv/flv-reader.ts";
import type { FlvTag } from "../../src/flv/flv-tag.ts";
import { encodeFlv, encodeFlvHeader, encodeFlvTag } from "../../src/flv/flv-writer.ts";

const FILES = ["sample-h263-mp3.flv", "sample-h264-aac.flv"];

describe.each(FILES)("%s", (name) => {
  const file = readFixture(name);
  const whole = decodeFlv(file);

  it("is written back byte for byte", () => {
    expect(whole.length).toBeGreaterThan(100);
    expect(Buffer.compare(encodeFlv(whole), file)).toBe(0);
  });

  it(...rfc("B-7"), "gives the same tags for a cut at every offset of its beginning", () => {
    const { prefix, tags } = beginning(whole, 20_000);
    expect(tags.length).toBeGreaterThan(3);
    for (let cut = 0; cut <= prefix.length; cut++) {
      const reader = new FlvReader();
      const found = [...reader.push(prefix.subarray(0, cut)), ...reader.push(prefix.subarray(cut))];
      reader.end();
      if (!sameTags(found, tags)) expect.fail(`cut at ${cut}`);
    }
  });

  it(...rfc("B-7"), "gives the same tags byte by byte", () => {
    const { prefix, tags } = beginning(whole, 20_000);
    const reader = new FlvReader();
    const found = Array.from(prefix).flatMap((byte) => reader.push(Uint8Array.of(byte)));
    reader.end();
    expect(sameTags(found, tags)).toBe(true);
  });

  it(...rfc("B-7"), "gives the same tags for any cuts of the whole", () => {
    const cuts = fc.uniqueArray(fc.nat(file.length), { maxLength: 200 });
    fc.assert(
      fc.property(cuts, (offsets) => {
        const ends = [...offsets.sort((a, b) => a - b), file.length];
        const reader = new FlvReader();
        const found: FlvTag[] = [];
        let at = 0;
        for (const end of ends) {
          // One buffer for all pieces, wiped after use, shows a tag that keeps what it only borrowed.
          const piece = Uint8Array.from(file.subarray(at, end));
          found.push(...reader.push(piece));
          piece.fill(0);
          at = end;
        }
        reader.end();
        return sameTags(found, whole);
      }),
      { numRuns: 20 },
    );
  });

  it("is cut off anywhere but after a tag", () => {
    const { prefix, tags } = beginning(whole, 6_000);
    const complete = new Set([13]);
    let at = 13;
    for (const tag of tags) {
      at += 15 + tag.data.length;
      complete.add(at);
    }
    for (let end = 0; end <= prefix.length; end++) {
      const reader = new FlvReader();
      reader.push(prefix.subarray(0, end));
      if (complete.has(end)) reader.end();
      else expect(() => reader.end()).toThrow(`cut off at byte ${end},`);
    }
  });
});

describe("FlvReader", () => {
  const tag: FlvTag = { type: "audio", timestamp: 5, data: Uint8Array.of(1, 2, 3) };
  const later: FlvTag = { type: "video", timestamp: 6, data: Uint8Array.of(4) };

  it(...rfc("B-8"), "takes a trailing size of 0 for the right one, as live files have it", () => {
    const bytes = joined(encodeFlvHeader(), encodeFlvTag(tag), encodeFlvTag(later));
    bytes.fill(0, 13 + 14, 13 + 18);
    const reader = new FlvReader();
    expect(reader.push(bytes)).toEqual([tag, later]);
    expect(reader.repaired).toBe(1);
  });

  it(...rfc("B-8"), "fails at any other trailing size, and names its byte", () => {
    const bytes = joined(encodeFlvHeader(), encodeFlvTag(tag), encodeFlvTag(later));
    bytes[13 + 17] = 15;
    expect(() => decodeFlv(bytes)).toThrow("the trailing size at byte 27 is 15, where 14 was expected");
  });

  it("returns the tags before a fault first, wherever the bytes are cut", () => {
    const bytes = joined(
      encodeFlvHeader(),
      encodeFlvTag(tag),
      encodeFlvTag(later),
      Uint8Array.of(...new Array(11).fill(7)),
    );
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new FlvReader();
      const found: FlvTag[] = [];
      const run = () => {
        found.push(...reader.push(bytes.subarray(0, cut)));
        found.push(...reader.push(bytes.subarray(cut)));
        reader.end();
      };
      expect(run).toThrow("the tag at byte 47 has the unknown type 7");
      expect(found).toEqual([tag, later]);
      expect(() => reader.push(new Uint8Array(0))).toThrow("unknown type");
    }
  });

  it(...rfc("B-8"), "puts the high byte of the timestamp where FLV has it", () => {
    const bytes = encodeFlvTag({ type: "data", timestamp: 0x89abcdef, data: new Uint8Array(0) });
    expect([...bytes]).toEqual([18, 0, 0, 0, 0xab, 0xcd, 0xef, 0x89, 0, 0, 0, 0, 0, 0, 11]);
    expect(new FlvReader({ header: false }).push(bytes)[0]?.timestamp).toBe(0x89abcdef);
  });

  it(...rfc("B-8"), "refuses what is not FLV", () => {
    expect(() => decodeFlv(new TextEncoder().encode("<!DOCTYPE html>"))).toThrow('does not begin with "FLV"');
    expect(() => decodeFlv(Uint8Array.of(0x46, 0x4c, 0x56, 2, 5, 0, 0, 0, 9))).toThrow("version 2");
    expect(() => decodeFlv(Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 8))).toThrow("8 bytes long");
    const endless = Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0xff, 0xff, 0xff, 0xff);
    expect(() => decodeFlv(endless)).toThrow("the FLV header claims to be 4294967295 bytes long, more than 4096");
  });

  it("refuses encrypted tags and tags longer than allowed", () => {
    const encrypted = encodeFlvTag(tag);
    encrypted[0] = 0x28;
    expect(() => new FlvReader({ header: false }).push(encrypted)).toThrow("the tag at byte 0 is encrypted");
    const small = new FlvReader({ header: false, maxTagBytes: 2 });
    expect(() => small.push(encodeFlvTag(tag))).toThrow("3 bytes long, more than 2");
  });

  it("skips what a longer header adds", () => {
    const header = encodeFlvHeader();
    const bytes = joined(header.subarray(0, 9), Uint8Array.of(1, 2, 3), header.subarray(9), encodeFlvTag(tag));
    bytes[8] = 12;
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new FlvReader();
      expect([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))]).toEqual([tag]);
    }
  });

  it("writes and reads any tags", () => {
    const anyTag = fc.record({
      type: fc.constantFrom("audio", "video", "data"),
      timestamp: fc.integer({ min: 0, max: 0xffffffff }),
      data: fc.uint8Array({ maxLength: 300 }),
    }) satisfies fc.Arbitrary<FlvTag>;
    fc.assert(fc.property(fc.array(anyTag), (tags) => void expect(decodeFlv(encodeFlv(tags))).toEqual(tags)));
  });

  it("says in the header what the tags are", () => {
    expect(encodeFlv([tag])[4]).toBe(4);
    expect(encodeFlv([later])[4]).toBe(1);
    expect(encodeFlv([tag, later])[4]).toBe(5);
  });

  it("throws nothing but FlvError for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, header) => {
        const reader = new FlvReader({ header });
        try {
          reader.push(bytes);
          reader.end();
        } catch (error) {
          expect(error).toHaveProperty("name", "FlvError");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../../../test/fixtures/${name}`, import.meta.url));
}

/** Whole tags from the beginning, at least one, up to about `bytes`. */
function beginning(tags: readonly FlvTag[], bytes: number): { prefix: Uint8Array; tags: FlvTag[] } {
  let total = 0;
  const taken = tags.filter((tag) => {
    total += 15 + tag.data.length;
    return total <= bytes;
  });
  return { prefix: joined(encodeFlvHeader(), ...taken.map(encodeFlvTag)), tags: taken };
}

function sameTags(found: readonly FlvTag[], expected: readonly FlvTag[]): boolean {
  return (
    found.length === expected.length &&
    found.every((tag, i) => {
      const other = expected[i]!;
      return tag.type === other.type && tag.timestamp === other.timestamp && Buffer.compare(tag.data, other.data) === 0;
    })
  );
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteReader, ByteWriter, buildBytes, fromHex, toHex, vluSize } from "../../src/proto/bytes.ts";
import { readVlu64, writeVlu64 } from "../../src/proto/vlu.ts";

const vectors: readonly [value: bigint, hex: string][] = [
  [0n, "00"],
  [1n, "01"],
  [127n, "7f"],
  [128n, "8100"],
  [8192n, "c000"],
  [16383n, "ff7f"],
  [16384n, "818000"],
  [4294967295n, "8fffffff7f"],
  [9223372036854775808n, "81808080808080808000"],
  [18446744073709551615n, "81ffffffffffffffff7f"],
];

const safe = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bit) => Math.min(2 ** bit, 2 ** 53 - 1)),
);

describe("VLU", () => {
  it(
    ...rfc("R7016-2.1.2-01", "V2-01", "V2-02", "V2-03", "V2-04", "V2-05", "V2-06", "V2-07", "V2-08", "V2-09", "V2-10"),
    "writes and reads back the worked examples",
    () => {
      for (const [value, hex] of vectors) check(value, hex);
    },
  );
  it(...rfc("R7016-2.1.2-03", "V2-11", "AMB-01"), "accepts leading zero groups", () => {
    const reader = new ByteReader(fromHex("808005"));
    expect([reader.vlu(), reader.pos, reader.failed]).toEqual([5, 3, false]);
    expect(readVlu64(new ByteReader(fromHex("808005")))).toBe(5n);
    expect(new ByteReader(fromHex(`${"80".repeat(40)}7f`)).vlu()).toBe(127);
  });

  it(...rfc("AMB-01"), "refuses values above 64 bits, and by number above 53", () => {
    for (const hex of ["82808080808080808000", `${"ff".repeat(9)}7f`, `${"ff".repeat(200)}00`]) {
      const wide = new ByteReader(fromHex(hex));
      expect([readVlu64(wide), wide.failed], hex).toEqual([0n, true]);
    }
    const limit = new ByteReader(buildBytes(10, (writer) => writeVlu64(writer, 2n ** 53n - 1n)));
    expect([limit.vlu(), limit.failed]).toEqual([2 ** 53 - 1, false]);
    const over = new ByteReader(buildBytes(10, (writer) => writeVlu64(writer, 2n ** 53n)));
    expect([over.vlu(), over.failed]).toEqual([0, true]);
    const writer = new ByteWriter(new Uint8Array(20));
    for (const value of [-1n, 2n ** 64n]) expect(() => writeVlu64(writer, value)).toThrow(RangeError);
  });

  it(...rfc("R7016-2.1.2-02"), "carries any value of 64 bits, always in the shortest form", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const bytes = buildBytes(10, (writer) => writeVlu64(writer, value));
        const reader = new ByteReader(bytes);
        expect([readVlu64(reader), reader.remaining]).toEqual([value, 0]);
        expect(bytes).toHaveLength(Math.max(1, Math.ceil(value.toString(2).length / 7)));
      }),
    );
  });

  it("carries any safe integer, in as many bytes as foretold", () => {
    fc.assert(
      fc.property(safe, (value) => {
        const bytes = buildBytes(10, (writer) => writer.vlu(value));
        expect([new ByteReader(bytes).vlu(), bytes.length]).toEqual([value, vluSize(value)]);
      }),
    );
  });

  it(...rfc("R7016-2-05"), "fails, and never reads on, where it is cut off", () => {
    for (const [, hex] of vectors) {
      const bytes = fromHex(hex);
      for (let end = 0; end < bytes.length; end++) {
        for (const read of [(reader: ByteReader) => reader.vlu(), readVlu64]) {
          const reader = new ByteReader(bytes, 0, end);
          expect(Number(read(reader))).toBe(0);
          expect([reader.failed, reader.pos]).toEqual([true, end]);
        }
      }
    }
  });

  it("does not write past the end of its buffer", () => {
    expect(() => new ByteWriter(new Uint8Array(2)).vlu(16384)).toThrow(RangeError);
    expect(() => writeVlu64(new ByteWriter(new Uint8Array(2)), 16384n)).toThrow(RangeError);
    expect(() => new ByteWriter(new Uint8Array(0)).vlu(1)).toThrow(RangeError);
  });
});

describe("ByteReader and ByteWriter", () => {
  it(...rfc("R7016-2.1.1-01"), "use big-endian integers at any byte", () => {
    const bytes = buildBytes(20, (writer) => {
      writer.u8(0xab);
      writer.u16(0x0102);
      writer.u32(0xf1020304);
      writer.put(Uint8Array.of(9, 8));
    });
    expect(toHex(bytes)).toBe("ab0102f10203040908");
    const reader = new ByteReader(bytes);
    expect([reader.u8(), reader.u16(), reader.u32(), ...reader.rest()]).toEqual([0xab, 0x0102, 0xf1020304, 9, 8]);
    expect(reader.failed).toBe(false);
  });

  it(...rfc("R7016-2-05"), "give zeros after a read past the end, for good", () => {
    const reader = new ByteReader(fromHex("0102030405"), 1, 4);
    expect([reader.u16(), reader.u16(), reader.failed]).toEqual([0x0203, 0x0400, true]);
    expect([reader.u8(), reader.u32(), reader.vlu(), reader.rest().length, reader.remaining]).toEqual([0, 0, 0, 0, 0]);
    const short = new ByteReader(fromHex("0102"));
    expect([short.take(3).length, short.failed, short.u8()]).toEqual([0, true, 0]);
  });
});

/** Both ways, in 64 bits and, where it fits, as a number. */
function check(value: bigint, hex: string): void {
  expect(toHex(buildBytes(10, (writer) => writeVlu64(writer, value)))).toBe(hex);
  expect(readVlu64(new ByteReader(fromHex(hex)))).toBe(value);
  const reader = new ByteReader(fromHex(hex));
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    expect([reader.vlu(), reader.failed]).toEqual([0, true]);
    return;
  }
  expect([reader.vlu(), reader.failed, reader.remaining]).toEqual([Number(value), false, 0]);
  expect(toHex(buildBytes(10, (writer) => writer.vlu(Number(value))))).toBe(hex);
}

import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteReader, buildBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import {
  encodeOptions,
  type Option,
  optionListSize,
  readOption,
  readOptionList,
  writeOptionList,
} from "../../src/proto/option.ts";

const option = fc.record({
  type: fc.oneof(fc.nat(127), fc.maxSafeNat()),
  value: fc.uint8Array({ maxLength: 200 }),
});

/** Type and value in hex of the only option in `hex`; undefined for a Marker, "malformed" for neither. */
function only(hex: string): [number, string] | undefined | "malformed" {
  const reader = new ByteReader(fromHex(hex));
  const read = readOption(reader);
  if (reader.failed || reader.remaining > 0) return "malformed";
  return read === undefined ? undefined : [read.type, toHex(read.value)];
}

describe("options", () => {
  const vectors: readonly [hex: string, type: number, value: string][] = [
    ["020a05", 10, "05"],
    ["0100", 0, ""],
    ["050054430400", 0, "54430400"],
    ["050054430505", 0, "54430505"],
    ["02c000", 8192, ""],
  ];
  it(
    ...rfc("R7016-2.1.3-01", "V2-13", "V2-14", "V2-15", "V2-16", "V2-20"),
    "read and write the worked examples",
    () => {
      for (const [hex, type, value] of vectors) {
        expect(only(hex)).toEqual([type, value]);
        expect(toHex(encodeOptions([{ type, value: fromHex(value) }]))).toBe(hex);
      }
    },
  );

  it(...rfc("V2-17"), "carry the metadata of stream 300", () => {
    expect(only("0600544304822c")).toEqual([0, "544304822c"]);
  });

  it(...rfc("R7016-2.1.3-02", "V2-12"), "know a Marker by its length of zero", () => {
    expect(only("00")).toBeUndefined();
    expect(only("8000")).toBeUndefined();
  });

  it(...rfc("R7016-2.1.3-03"), "measure the value by what the type leaves", () => {
    expect(only("04c000aabb")).toEqual([8192, "aabb"]);
    expect(only("0480800aff")).toEqual([10, "ff"]);
  });

  it(...rfc("R7016-2-05"), "are malformed where the length or the type runs past the end", () => {
    for (const hex of ["", "80", "02", "020a", "030a05", "01c0", "01c000", "02c0c000", "02ffff", "8fffffff7f00"]) {
      expect(only(hex), hex).toBe("malformed");
    }
  });

  it(...rfc("R7016-2.1.4-01"), "stand in lists that a Marker closes", () => {
    const reader = new ByteReader(fromHex("0500544304 00 020a05 00 ff"));
    expect(readOptionList(reader).map(({ type, value }) => [type, toHex(value)])).toEqual([
      [0, "54430400"],
      [10, "05"],
    ]);
    expect([reader.failed, reader.rest()[0]]).toEqual([false, 0xff]);
    const written = buildBytes(8, (writer) => writeOptionList(writer, [{ type: 10, value: Uint8Array.of(5) }]));
    expect(toHex(written)).toBe("020a0500");
    for (const hex of ["", "020a05", "020a0502"]) {
      const cut = new ByteReader(fromHex(hex));
      readOptionList(cut);
      expect(cut.failed, hex).toBe(true);
    }
  });

  it(...rfc("AMB-02"), "may be an empty list", () => {
    const reader = new ByteReader(fromHex("00"));
    expect([readOptionList(reader), reader.failed]).toEqual([[], false]);
  });

  it(...rfc("R7016-2-02"), "come back from any list, in as many bytes as foretold", () => {
    fc.assert(
      fc.property(fc.array(option, { maxLength: 6 }), (options: readonly Option[]) => {
        const bytes = buildBytes(optionListSize(options), (writer) => writeOptionList(writer, options));
        expect(bytes).toHaveLength(optionListSize(options));
        expect(toHex(bytes)).toBe(`${toHex(encodeOptions(options))}00`);
        const reader = new ByteReader(bytes);
        expect(readOptionList(reader)).toEqual(options);
        expect([reader.failed, reader.remaining]).toEqual([false, 0]);
        for (let end = 0; end < bytes.length; end++) {
          const cut = new ByteReader(bytes, 0, end);
          readOptionList(cut);
          expect(cut.failed).toBe(true);
        }
      }),
    );
  });

  it("never throw on any bytes, and never read past the end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, cut) => {
        const end = Math.min(cut, bytes.length);
        const reader = new ByteReader(bytes, 0, end);
        const list = readOptionList(reader);
        expect(reader.pos).toBeLessThanOrEqual(end);
        if (!reader.failed) expect(list.every(({ type }) => Number.isSafeInteger(type))).toBe(true);
      }),
    );
  });
});

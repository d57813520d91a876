import fc from "fast-check";
import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";
import { AmfEcmaArray, AmfError, AmfTyped, type AmfValue, AmfVector, AmfXml, namedValues } from "../../src/tc/amf.ts";
import { decodeAmf0, decodeAmf0All } from "../../src/tc/amf0-reader.ts";
import { encodeAmf0 } from "../../src/tc/amf0-writer.ts";
import { decodeAmf3 } from "../../src/tc/amf3-reader.ts";
import { encodeAmf3 } from "../../src/tc/amf3-writer.ts";

const text = fc.string({ unit: "binary" });
const number = fc.double();
const leaf = fc.oneof(
  fc.constantFrom<AmfValue[]>(
    undefined,
    null,
    true,
    false,
    "",
    "repeated",
    0,
    -0,
    268435455,
    268435456,
    -268435456,
    -268435457,
  ),
  fc.integer(),
  number,
  text,
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.tuple(text, fc.boolean()).map(([xml, document]) => new AmfXml(xml, document)),
  fc.tuple(fc.array(fc.integer()), fc.boolean()).map(([items, fixed]) => new AmfVector("int", items, fixed)),
  fc.array(fc.integer({ min: 0, max: 0xffffffff })).map((items) => new AmfVector("uint", items)),
  fc.array(number).map((items) => new AmfVector("double", items)),
);
const name = text.filter((key) => key !== "" && !/^\d+$/.test(key));
const { value: anyValue } = fc.letrec<{ value: AmfValue; object: Record<string, AmfValue> }>((tie) => ({
  object: fc.dictionary(fc.oneof(text, fc.constant("__proto__")), tie("value"), { maxKeys: 5, noNullPrototype: false }),
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    tie("object"),
    fc
      .tuple(fc.dictionary(name, tie("value"), { minKeys: 1, maxKeys: 4 }), fc.array(tie("value"), { maxLength: 3 }))
      .map(([named, dense]) => new AmfEcmaArray(named, dense)),
    fc.tuple(name, tie("object")).map(([className, properties]) => new AmfTyped(className, properties)),
    tie("value").map((wrapped) => new AmfTyped("flex.messaging.io.ArrayCollection", wrapped)),
    fc.array(fc.tuple(leaf, tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new AmfVector("object", items, true, "Thing")),
  ),
}));

type Codec = readonly [string, typeof encodeAmf0, typeof decodeAmf0];
const CODECS: readonly Codec[] = [
  ["AMF0", encodeAmf0, decodeAmf0],
  ["AMF3", encodeAmf3, decodeAmf3],
];

type Bytes = readonly [string, string, AmfValue];
const AMF0_BYTES: readonly Bytes[] = [
  ["number", "00 3ff0000000000000", 1],
  ["boolean", "01 01", true],
  ["string", "02 0003 61c3a9", "a\u00e9"],
  ["object", "03 0001 61 02 0000 0000 05 0000 09", { a: "", "": null }],
  ["null", "05", null],
  ["undefined", "06", undefined],
  ["ECMA array", "08 00000002 0001 30 05 0001 78 01 00 0000 09", new AmfEcmaArray({ x: false }, [null])],
  ["strict array", "0a 00000002 05 06", [null, undefined]],
  ["date", "0b 0000000000000000 0000", new Date(0)],
  ["XML document", "0f 00000004 3c612f3e", new AmfXml("<a/>")],
  ["typed object", "10 0001 54 0001 61 05 0000 09", new AmfTyped("T", { a: null })],
  ["byte array behind avmplus", "11 0c 05 0102", Uint8Array.of(1, 2)],
];
const AMF3_BYTES: readonly Bytes[] = [
  ["undefined", "00", undefined],
  ["null", "01", null],
  ["false", "02", false],
  ["true", "03", true],
  ["integer of one byte", "04 7f", 127],
  ["integer of two bytes", "04 8100", 128],
  ["integer of three bytes", "04 818000", 16_384],
  ["integer of four bytes", "04 80c08000", 0x200000],
  ["greatest integer", "04 bfffffff", 268_435_455],
  ["least integer", "04 c0808000", -268_435_456],
  ["minus one", "04 ffffffff", -1],
  ["double", "05 3fe0000000000000", 0.5],
  ["minus zero", "05 8000000000000000", -0],
  ["string", "06 05 c3a9", "\u00e9"],
  ["empty string", "06 01", ""],
  ["XML document", "07 09 3c612f3e", new AmfXml("<a/>")],
  ["date", "08 01 0000000000000000", new Date(0)],
  ["array", "09 05 01 01 00", [null, undefined]],
  ["associative array", "09 03 03 78 02 01 01", new AmfEcmaArray({ x: false }, [null])],
  ["dynamic object", "0a 0b 01 03 61 01 01", { a: null }],
  ["sealed object", "0a 13 03 54 03 61 01", new AmfTyped("T", { a: null })],
  ["object with an empty name", "0a 1b 01 01 04 05 03 61 01 01", { "": 5, a: null }],
  ["XML", "0b 09 3c612f3e", new AmfXml("<a/>", false)],
  ["byte array", "0c 05 0102", Uint8Array.of(1, 2)],
  ["vector of int", "0d 03 01 ffffffff", new AmfVector("int", [-1], true)],
  ["vector of uint", "0e 03 00 ffffffff", new AmfVector("uint", [0xffffffff])],
  ["vector of double", "0f 03 00 3ff0000000000000", new AmfVector("double", [1])],
  ["vector of object", "10 03 00 03 54 01", new AmfVector("object", [null], false, "T")],
  ["dictionary", "11 03 00 04 01 06 03 61", new Map([[1, "a"]])],
];

describe("AMF round trips", () => {
  it("AMF0 gives back every value", () => {
    fc.assert(
      fc.property(anyValue, (value) => void expect(decodeAmf0(encodeAmf0(value))).toEqual(value)),
      { numRuns: 500 },
    );
  });

  it("AMF3 gives back every value", () => {
    fc.assert(
      fc.property(anyValue, (value) => void expect(decodeAmf3(encodeAmf3(value))).toEqual(value)),
      { numRuns: 500 },
    );
  });

  for (const [format, encode, decode] of CODECS) {
    it(`${format} keeps what is one object one object, even inside itself`, () => {
      const shared = { a: [1] };
      const value: AmfValue[] = [shared, shared, new AmfTyped("T", { shared }), new AmfEcmaArray({ shared })];
      value.push(value);
      const read = decode(encode(value)) as AmfValue[];
      expect(read[1]).toBe(read[0]);
      expect((read[2] as AmfTyped).value).toHaveProperty("shared", read[0]);
      expect((read[3] as AmfEcmaArray).named["shared"]).toBe(read[0]);
      expect(read[4]).toBe(read);
    });

    it(`${format} takes "__proto__" for a name like any other`, () => {
      const value = JSON.parse('{"__proto__":{"admin":true}}') as AmfValue;
      const read = decode(encode(value)) as Record<string, AmfValue>;
      expect(Object.keys(read)).toEqual(["__proto__"]);
      expect("admin" in read).toBe(false);
      expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
    });

    it(`${format} copies byte arrays`, () => {
      const bytes = encode(Uint8Array.of(1, 2, 3));
      const read = decode(bytes);
      bytes.fill(0);
      expect(read).toEqual(Uint8Array.of(1, 2, 3));
    });

    it(`${format} refuses what it cannot carry, in one line`, () => {
      for (const bad of [() => 0, Symbol("s"), 1n, new Float32Array(1), new AmfTyped("T", 5)]) {
        expect(() => encode(bad as unknown as AmfValue)).toThrow(AmfError);
      }
      expect(() => encode(new AmfVector("int", ["1"]))).toThrow("a vector of int holds a string");
    });

    it(`${format} refuses depth, number and length beyond its limits`, () => {
      let deep: AmfValue = 1;
      for (let i = 0; i < 70; i++) deep = [deep];
      expect(() => encode(deep)).toThrow("nested deeper than 64");
      const bytes = encode(deep, { maxDepth: 100 });
      expect(() => decode(bytes)).toThrow("nested deeper than 64");
      expect(decode(bytes, { maxDepth: 100 })).toEqual(deep);
      const many = encode(new Array(50).fill(null));
      expect(() => decode(many, { maxValues: 50 })).toThrow("more than 50 AMF values");
      expect(() => encode(new Array(50).fill(null), { maxValues: 50 })).toThrow("more than 50 AMF values");
      expect(() => decode(many, { maxBytes: 10 })).toThrow("more than 10");
      expect(() => encode("a long string", { maxBytes: 10 })).toThrow("longer than 10 bytes");
    });
  }
});

describe("AMF0 bytes", () => {
  for (const [what, hex, value] of AMF0_BYTES) {
    it(`${what}: ${hex}`, () => {
      expect(decodeAmf0(fromHex(hex))).toEqual(value);
      expect(toHex(encodeAmf0(value))).toBe(hex.replaceAll(" ", ""));
    });
  }

  it("reads an unsupported value as undefined", () => expect(decodeAmf0(fromHex("0d"))).toBeUndefined());

  it("reads an ECMA array of numbered elements as an array, whatever its count says", () => {
    expect(decodeAmf0(fromHex("08 00000000 0001 30 05 0001 31 0101 0000 09"))).toEqual([null, true]);
  });

  it("writes long strings with a long length", () => {
    const long = "x".repeat(65_536);
    expect(toHex(encodeAmf0(long).subarray(0, 6))).toBe("0c0001000078");
    expect(decodeAmf0(encodeAmf0(long))).toBe(long);
    expect(() => encodeAmf0({ [long]: 1 })).toThrow("longer than AMF0's 65535");
  });

  it("counts references from the start of each value", () => {
    const [first, second] = decodeAmf0All(fromHex("0a00000001 05 0a00000001 07 0000")) as [AmfValue, AmfValue[]];
    expect(first).toEqual([null]);
    expect(second[0]).toBe(second);
  });

  it("refuses markers that nothing may follow", () => {
    for (const hex of ["04", "0e", "09", "12", "ff", ""]) expect(() => decodeAmf0(fromHex(hex))).toThrow(AmfError);
  });
});

describe("AMF3 bytes", () => {
  for (const [what, hex, value] of AMF3_BYTES) {
    it(`${what}: ${hex}`, () => {
      expect(decodeAmf3(fromHex(hex))).toEqual(value);
      expect(toHex(encodeAmf3(value))).toBe(hex.replaceAll(" ", ""));
    });
  }

  it("refers to strings, traits and objects written before", () => {
    const bytes = encodeAmf3([{ a: "b" }, { a: "b" }]);
    expect(toHex(bytes)).toBe("0905010a0b010361060362010a0100060201");
    expect(decodeAmf3(bytes)).toEqual([{ a: "b" }, { a: "b" }]);
  });

  it("reads sealed and dynamic properties of one object", () => {
    const read = decodeAmf3(fromHex("0a 1b 03 54 03 61 04 01 03 62 04 02 01"));
    expect(read).toEqual(new AmfTyped("T", { a: 1, b: 2 }));
  });

  it("refuses an externalizable class that it does not know", () => {
    expect(() => decodeAmf3(fromHex("0a 07 03 58 01"))).toThrow('externalizable class "X" is not known');
  });

  it("has no array element with an empty name", () => {
    expect(() => encodeAmf3(new AmfEcmaArray({ "": 1 }))).toThrow("empty name");
  });
});

describe("hostile AMF", () => {
  it("has no named values where a wrapper wraps itself, alone or by way of another", () => {
    const [one, other] = [new AmfTyped("a", null), new AmfTyped("b", null)];
    one.value = other;
    other.value = one;
    expect(namedValues(one)).toBeUndefined();
    one.value = one;
    expect(namedValues(one)).toBeUndefined();
    expect(namedValues(new AmfTyped("a", new AmfTyped("b", { name: 1 })))).toEqual({ name: 1 });
  });

  for (const [format, encode, decode] of CODECS) {
    it(`${format}: random bytes cost an AmfError at most`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => onlyAmfError(() => decode(bytes))),
        { numRuns: 5_000 },
      );
    });

    it(`${format}: damaged values cost an AmfError at most`, () => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(anyValue, damage, (value, changes) => {
          const bytes = encode(value);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          onlyAmfError(() => decode(bytes));
        }),
        { numRuns: 2_000 },
      );
    });

    it(`${format}: values cut off anywhere are an AmfError`, () => {
      fc.assert(
        fc.property(anyValue, (value) => {
          const bytes = encode(value);
          for (let end = 0; end < bytes.length; end++) expect(() => decode(bytes.subarray(0, end))).toThrow(AmfError);
        }),
        { numRuns: 50 },
      );
    });
  }

  it("counts the names of a class, which can be a byte each", () => {
    const names = 2_000;
    const traits = (names << 4) | 3;
    const bytes = Uint8Array.of(
      0x0a,
      (traits >> 14) | 0x80,
      (traits >> 7) | 0x80,
      traits & 0x7f,
      1,
      ...Array(9_000).fill(1),
    );
    expect(decodeAmf3(bytes.subarray(0, 5 + 2 * names))).toEqual({ "": null });
    expect(() => decodeAmf3(bytes, { maxValues: 1_999 })).toThrow("more than 1999 AMF values");
  });

  it("believes no count that the bytes cannot hold", () => {
    for (const hex of ["0a ffffffff", "0c ffffffff", "02 ffff", "0f ffffffff"]) {
      expect(() => decodeAmf0(fromHex(hex))).toThrow(AmfError);
    }
    for (const hex of ["06", "09", "0a", "0b", "0c", "0d", "0e", "0f", "10", "11"]) {
      expect(() => decodeAmf3(fromHex(`${hex} ffffffff 00 01 01`))).toThrow(AmfError);
    }
  });
});

function onlyAmfError(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof AmfError)) throw error;
  }
}

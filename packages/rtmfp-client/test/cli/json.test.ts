import { AmfEcmaArray, AmfTyped, type AmfValue, AmfVector, AmfXml } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { fromJson, toJson } from "../../src/cli/json.ts";

describe("AMF as JSON", () => {
  it("keeps what JSON knows", () => {
    const value = { a: [1, "two", true, null], b: { c: -0.5 } };
    expect(toJson(fromJson(value))).toEqual(value);
  });

  it("shows everything else in words", () => {
    const loop: Record<string, AmfValue> = { name: "loop" };
    loop["self"] = loop;
    const cases: [AmfValue, unknown][] = [
      [undefined, null],
      [Number.NaN, null],
      [new Date(0), "1970-01-01T00:00:00.000Z"],
      [new Date(Number.NaN), null],
      [new Uint8Array([1, 2, 3]), "AQID"],
      [new AmfXml("<a/>"), "<a/>"],
      [new AmfTyped("Point", { x: 1 }), { x: 1 }],
      [new AmfVector("int", [1, 2]), [1, 2]],
      [new Map<AmfValue, AmfValue>([[1, "a"]]), [[1, "a"]]],
      [new AmfEcmaArray({ width: 320 }, ["zero"]), { 0: "zero", width: 320 }],
      [loop, { name: "loop", self: null }],
    ];
    for (const [value, json] of cases) expect(toJson(value)).toEqual(json);
  });

  it("refuses a small value that repeats itself into a huge one", () => {
    let value: AmfValue = "x";
    for (let depth = 0; depth < 40; depth++) value = [value, value];
    expect(() => toJson(value)).toThrow("the value has more than 262144 parts when what it repeats is written out");
  });
});

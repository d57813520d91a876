/** Hostile AMF: values that go deep, round in circles, lie about their lengths, or are none. */
import { concatBytes } from "rtmfp-core/proto";
import { AmfEcmaArray, type AmfObject, AmfTyped, type AmfValue, AmfVector, AmfXml, encodeAmf0 } from "rtmfp-core/tc";
import type { Prng } from "rtmfp-core/testing";
import { anyNumber, mutate, pick } from "./packets.ts";

/** A value that AMF can carry, or nearly so; `words` are strings worth saying. */
export function anyValue(prng: Prng, words: readonly string[], depth = 0): AmfValue {
  const next = (): AmfValue => anyValue(prng, words, depth + 1);
  const list = (): AmfValue[] => Array.from({ length: depth > 3 ? 0 : prng.int(4) }, next);
  switch (prng.int(depth > 4 ? 8 : 16)) {
    case 0:
      return undefined;
    case 1:
      return null;
    case 2:
      return prng.chance(0.5);
    case 3:
      return prng.chance(0.8)
        ? anyNumber(prng)
        : pick(prng, [Number.NaN, -1, 0.5, -0, 1e308, Number.NEGATIVE_INFINITY]);
    case 4:
    case 5:
    case 6:
      return anyWord(prng, words);
    case 7:
      return prng.bytes(prng.int(40));
    case 8:
      return list();
    case 9:
      return new AmfEcmaArray(anyObject(prng, words, depth), list());
    case 10:
      return new Date(prng.chance(0.3) ? Number.NaN : anyNumber(prng));
    case 11:
      return new AmfTyped(pick(prng, CLASSES), prng.chance(0.5) ? anyObject(prng, words, depth) : next());
    case 12:
      return new AmfXml(anyWord(prng, words), prng.chance(0.5));
    case 13:
      return new Map(list().map((key) => [key, next()]));
    case 14: {
      const kind = pick(prng, ["int", "uint", "double", "object"] as const);
      return new AmfVector(kind, kind === "object" ? list() : [1, 2, 3], prng.chance(0.5), anyWord(prng, words));
    }
    default:
      return anyObject(prng, words, depth);
  }
}

/** An object, now and then one that contains itself. */
export function anyObject(prng: Prng, words: readonly string[], depth = 0): AmfObject {
  const object: AmfObject = {};
  const count = depth > 3 ? 0 : prng.int(5);
  for (let i = 0; i < count; i++) {
    const name = prng.chance(0.5) ? pick(prng, NAMES) : anyWord(prng, words);
    Object.defineProperty(object, name, {
      value: anyValue(prng, words, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  if (prng.chance(0.1)) object["self"] = object;
  return object;
}

/** Bytes that stand where AMF0 values should: proper ones, damaged ones, and ones made by hand to do harm. */
export function anyAmf(prng: Prng, words: readonly string[]): Uint8Array {
  if (prng.chance(0.35)) return pick(prng, RIDDLES)(prng);
  if (prng.chance(0.12)) return pick(prng, LIES)(prng);
  let bytes: Uint8Array;
  try {
    bytes = encodeAmf0(anyValue(prng, words));
  } catch {
    return prng.bytes(prng.int(60));
  }
  return prng.chance(0.1) ? mutate(prng, bytes) : bytes;
}

function anyWord(prng: Prng, words: readonly string[]): string {
  const roll = prng.next();
  if (roll < 0.7) return pick(prng, words);
  if (roll < 0.75) return "x".repeat(prng.int(70_000));
  if (roll < 0.8) return pick(prng, NAMES);
  return String.fromCharCode(...Array.from({ length: prng.int(12) }, () => prng.int(0x1_0000)));
}

/** `open` so many times, then `inside`, then `close` as many times. */
function nested(
  open: readonly number[],
  times: number,
  inside: readonly number[],
  close: readonly number[],
): Uint8Array {
  const repeat = (part: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(part.length * times);
    for (let i = 0; i < times; i++) bytes.set(part, i * part.length);
    return bytes;
  };
  return concatBytes(repeat(open), Uint8Array.from(inside), repeat(close));
}

function named(name: string): number[] {
  return [0, name.length, ...Buffer.from(name)];
}

/** An AMF3 string with its length before it. */
function amf3String(text: string): number[] {
  return [(text.length << 1) | 1, ...Buffer.from(text)];
}

const COLLECTION = amf3String("flex.messaging.io.ArrayCollection");

/** What can be read, and is then hard to bear. Markers are those of Adobe's AMF0 and AMF3 specifications. */
const RIDDLES: readonly ((prng: Prng) => Uint8Array)[] = [
  // As deep as is allowed.
  (prng) => nested([0x03, ...named("a")], prng.int(62), [0x05], [0, 0, 9]),
  (prng) =>
    concatBytes(Uint8Array.of(0x11), nested([0x0a, 0x0b, 0x01, ...amf3String("a")], prng.int(60), [0x01], [0x01])),
  // A wrapper that wraps itself, and one in an array that wraps the array.
  () => Uint8Array.of(0x11, 0x0a, 0x07, ...COLLECTION, 0x0a, 0x00),
  () => Uint8Array.of(0x11, 0x09, 0x03, 0x01, 0x0a, 0x07, ...COLLECTION, 0x09, 0x00),
  // An object that is its own property, an array that is its own element, a dictionary that is its own key.
  () => Uint8Array.of(0x03, ...named("code"), 0x07, 0, 0, 0, 0, 9),
  () => Uint8Array.of(0x0a, 0, 0, 0, 1, 0x07, 0, 0),
  () => Uint8Array.of(0x08, 0, 0, 0, 1, ...named("0"), 0x07, 0, 0, 0, 0, 9),
  () => Uint8Array.of(0x11, 0x11, 0x03, 0x00, 0x11, 0x00, 0x11, 0x00),
  // Names that every object has.
  () => Uint8Array.of(0x03, ...named("__proto__"), 0x03, ...named("code"), 0x05, 0, 0, 9, 0, 0, 9),
  // Text that is not UTF-8.
  (prng) => {
    const bytes = prng.bytes(prng.int(200));
    return concatBytes(Uint8Array.of(0x02, 0, bytes.length), bytes);
  },
  // One long string, and many references to it: as AMF0 it is thousands of times as long.
  (prng) => {
    const times = prng.chance(0.3) ? 8_000 : 50;
    const text = new Uint8Array(times > 50 ? 4_000 : 400).fill(0x61);
    const references = new Uint8Array((times - 1) * 2);
    for (let i = 0; i < references.length; i += 2) references[i] = 0x06;
    const array = u29((times << 1) | 1);
    const string = u29((text.length << 1) | 1);
    return Uint8Array.of(0x11, 0x09, ...array, 0x01, 0x06, ...string, ...text, ...references);
  },
];

/** What cannot be read, or not to its end. */
const LIES: readonly ((prng: Prng) => Uint8Array)[] = [
  // Deeper than is allowed, and than a stack is.
  (prng) => nested([0x03, ...named("a")], tooDeep(prng), [0x05], [0, 0, 9]),
  (prng) => nested([0x0a, 0, 0, 0, 1], tooDeep(prng), [0x05], []),
  (prng) => concatBytes(Uint8Array.of(0x11), nested([0x09, 0x03, 0x01], tooDeep(prng), [0x01], [])),
  (prng) => concatBytes(Uint8Array.of(0x11), nested([0x11, 0x03, 0x00, 0x01], tooDeep(prng), [0x01], [])),
  (prng) => concatBytes(Uint8Array.of(0x11), nested([0x0a, 0x07, ...COLLECTION], tooDeep(prng), [0x0a, 0x00], [])),
  // References to nothing.
  (prng) => Uint8Array.of(0x07, ...prng.bytes(2)),
  (prng) => Uint8Array.of(0x11, pick(prng, [0x06, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x10, 0x11]), prng.int(128) & 0xfe),
  // Lengths beyond all that follows, and traits with names without number.
  (prng) => Uint8Array.of(pick(prng, [0x0a, 0x0c, 0x0f, 0x08]), 0xff, 0xff, 0xff, prng.int(256), 0x05),
  (prng) => Uint8Array.of(0x11, 0x04 + prng.int(14), 0xff, 0xff, 0xff, 0xff, ...prng.bytes(8)),
  (prng) => Uint8Array.of(0x02, 0xff, 0xff, ...prng.bytes(8)),
  () => Uint8Array.of(0x11, 0x0a, 0xff, 0xff, 0xff, 0xf3, 0x01),
];

function tooDeep(prng: Prng): number {
  return pick(prng, [63, 64, 65, 1_000, 20_000]);
}

/** An AMF3 integer under 2^21. */
function u29(value: number): number[] {
  if (value < 0x80) return [value];
  if (value < 0x4000) return [0x80 | (value >> 7), value & 0x7f];
  return [0x80 | (value >> 14), 0x80 | ((value >> 7) & 0x7f), value & 0x7f];
}

/** Properties that somebody looks at. */
const NAMES: readonly string[] = [
  "code",
  "level",
  "description",
  "details",
  "objectEncoding",
  "app",
  "tcUrl",
  "application",
  "then",
  "__proto__",
  "constructor",
  "toString",
  "length",
  "0",
  "1",
];
const CLASSES: readonly string[] = [
  "flex.messaging.io.ArrayCollection",
  "flex.messaging.io.ObjectProxy",
  "a.b.C",
  "x".repeat(300),
];

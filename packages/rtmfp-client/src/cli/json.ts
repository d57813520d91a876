/** AMF values as JSON, and back. */
import { AmfEcmaArray, AmfTyped, type AmfValue, AmfVector, AmfXml } from "rtmfp-core/tc";

/** A JSON value as AMF: what JSON knows, AMF does too. */
export function fromJson(value: unknown): AmfValue {
  return value as AmfValue;
}

/**
 * An AMF value as JSON can show it: undefined and numbers that are none as null, dates in ISO 8601, byte arrays in Base64, XML
 * as text, dictionaries as lists of pairs, class names left out. An object inside itself becomes null; one met again is
 * written again. Throws, in one line, when that makes more than {@link MAX_VALUES}.
 */
export function toJson(value: AmfValue): unknown {
  return new Writer().write(value, []);
}

class Writer {
  #left = MAX_VALUES;

  write(value: AmfValue, inside: readonly object[]): unknown {
    if (this.#left-- === 0)
      throw new Error(`the value has more than ${MAX_VALUES} parts when what it repeats is written out`);
    if (value === undefined || value === null) return null;
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    if (typeof value !== "object") return value;
    if (inside.includes(value)) return null;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (value instanceof AmfXml) return value.text;
    const deeper = [...inside, value];
    const write = (item: AmfValue): unknown => this.write(item, deeper);
    if (value instanceof AmfTyped) return write(value.value);
    if (value instanceof AmfVector) return value.items.map(write);
    if (Array.isArray(value)) return value.map(write);
    if (value instanceof Map) return [...value].map(([key, item]) => [write(key), write(item)]);
    const named = value instanceof AmfEcmaArray ? value.named : (value as Readonly<Record<string, AmfValue>>);
    const dense = value instanceof AmfEcmaArray ? value.dense.map((item, index) => [index, write(item)] as const) : [];
    return Object.fromEntries([...dense, ...Object.entries(named).map(([name, item]) => [name, write(item)] as const)]);
  }
}

/** Parts of one value, as many as a message can carry. */
const MAX_VALUES = 262_144;

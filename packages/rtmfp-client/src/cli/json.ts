/** AMF values as JSON, and back. */
import { AmfEcmaArray, AmfTyped, type AmfValue, AmfVector, AmfXml } from "rtmfp-core/tc";

/** A JSON value as AMF: what JSON knows, AMF does too. */
export function fromJson(value: unknown): AmfValue {
  return value as AmfValue;
}

/**
 * An AMF value as JSON can show it: undefined and numbers that are none as null, dates in ISO 8601, byte arrays in Base64, XML
 * as text, dictionaries as lists of pairs, class names left out. An object inside itself becomes null.
 */
export function toJson(value: AmfValue, inside: readonly object[] = []): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object") return value;
  if (inside.includes(value)) return null;
  const deeper = [...inside, value];
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof AmfXml) return value.text;
  if (value instanceof AmfTyped) return toJson(value.value, deeper);
  if (value instanceof AmfVector) return value.items.map((item) => toJson(item, deeper));
  if (Array.isArray(value)) return value.map((item) => toJson(item, deeper));
  if (value instanceof Map) return [...value].map(([key, item]) => [toJson(key, deeper), toJson(item, deeper)]);
  if (value instanceof AmfEcmaArray) {
    const dense = value.dense.map((item, index) => [index, toJson(item, deeper)] as const);
    const named = Object.entries(value.named).map(([name, item]) => [name, toJson(item, deeper)] as const);
    return Object.fromEntries([...dense, ...named]);
  }
  return Object.fromEntries(
    Object.entries(value as Record<string, AmfValue>).map(([name, item]) => [name, toJson(item, deeper)]),
  );
}

/** Typed access to JSON that may be foreign: whatever is missing or of another type throws a {@link FormatError}. */
import { fromHex } from "rtmfp-core/proto";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** The file is not what it should be; the message is one line. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of a list of objects. */
export function objects(parent: Json, key: string): readonly Json[] {
  const value = parent[key];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new FormatError(`expected "${key}" to be a list of objects`);
}

export function object(parent: Json, key: string): Json {
  const value = parent[key];
  if (isObject(value)) return value;
  throw new FormatError(`expected "${key}" to be an object`);
}

export function string(parent: Json, key: string): string {
  const value = parent[key];
  if (typeof value === "string") return value;
  throw new FormatError(`expected "${key}" to be a string`);
}

/** A whole number, not negative. */
export function count(parent: Json, key: string): number {
  const value = parent[key];
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FormatError(`expected "${key}" to be a whole number`);
}

/** Bytes written as hex digits. */
export function bytes(parent: Json, key: string): Uint8Array {
  const text = string(parent, key);
  if (/^([0-9a-fA-F]{2})*$/.test(text)) return fromHex(text);
  throw new FormatError(`expected "${key}" to be pairs of hex digits`);
}

/** Hex digits of a number without its leading zero bytes. */
export function withoutZeros(hex: string): string {
  return hex.replace(/^(00)+/, "");
}

/** Checks of what an application passes: plain JavaScript gets past the types, and NaN past every comparison. */
import { RtmfpError } from "../proto/errors.ts";

/** The bytes. Throws BAD_ARGUMENT unless they are a Uint8Array of at most `limit` bytes (default: any). */
export function checkBytes(what: string, bytes: Uint8Array, limit: number = Number.POSITIVE_INFINITY): Uint8Array {
  if (!(bytes instanceof Uint8Array))
    throw new RtmfpError("BAD_ARGUMENT", `${what}: expected bytes, got ${typeof bytes}: encode text first`);
  if (bytes.length > limit)
    throw new RtmfpError("BAD_ARGUMENT", `${what}: expected at most ${limit} bytes, got ${bytes.length}`);
  return bytes;
}

/** The value. Throws BAD_ARGUMENT unless it is undefined or an integer from 0 to 2^53 - 1. */
export function checkInteger<T extends number | undefined>(what: string, value: T): T {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new RtmfpError("BAD_ARGUMENT", `${what}: expected an integer from 0 to 2^53 - 1, got ${value}`);
}

/** The value. Throws BAD_ARGUMENT unless it is undefined or a time of 0 ms or more, which may be Infinity. */
export function checkTime<T extends number | undefined>(what: string, ms: T): T {
  if (ms === undefined || (typeof ms === "number" && ms >= 0)) return ms;
  throw new RtmfpError("BAD_ARGUMENT", `${what}: expected a time of 0 ms or more, got ${ms}`);
}

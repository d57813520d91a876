/** Dates as values: made from the bytes, never from the clock. The only file of its layer that may name `Date`. */

/** A date in AMF: a moment, in milliseconds since 1970 UTC; `NaN` is possible. */
export type AmfDate = Date;

/** Whether `value` is a `Date`. */
export function isDate(value: unknown): value is AmfDate {
  return value instanceof Date;
}

/** A `Date` for milliseconds since 1970, UTC. */
export function dateOf(ms: number): AmfDate {
  return new Date(ms);
}

import type { Figures } from "./work.ts";

/** Of round trips in ms, in microseconds. */
export function percentiles(times: readonly number[]): Figures {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 1_000;
  return { p50us: at(0.5), p99us: at(0.99), count: sorted.length };
}

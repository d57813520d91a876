/** Where a stream begins for who plays it. */
import { MAX_FROM_START, MAX_PULLS } from "./params.ts";

/**
 * The first fragment that is taken of a stream, of which those from `oldest`, 0 for unknown, to `newest` are to be had. One that
 * has just begun, and one that was waited for (`isAwaited`) and of which there is not much yet, are taken from their beginning,
 * others from where they are.
 */
export function beginning(oldest: number, newest: number, isAwaited: boolean): number {
  if (newest <= MAX_FROM_START) return 1;
  if (!isAwaited || oldest === 0) return newest - 1;
  if (oldest <= MAX_FROM_START) return 1;
  // It goes on after all that came before has been forgotten.
  return newest - oldest <= MAX_FROM_START ? oldest : newest - 1;
}

/**
 * The same of a stream that stood still and goes on: with what comes after what was taken before, `next`, if that is not too
 * much; undefined then, and for a `next` of 0.
 */
export function resumption(next: number, oldest: number, newest: number): number | undefined {
  const first = Math.max(next, oldest);
  return next > 0 && newest - first < MAX_PULLS ? first : undefined;
}

/** The cases of V-4: 960x720 at 10 pictures a second with sound, a round trip of 100 ms. */
import type { Seen } from "../support/watch.ts";

/** One case and what must come of it. */
export interface V4Case {
  readonly name: string;
  readonly what: string;
  readonly bitsPerSecond: number;
  /** Share of the datagrams lost, each way. */
  readonly loss: number;
  /** Pictures that are late are dropped by groups. */
  readonly drops: boolean;
}

/** All of them. */
export const V4_CASES: readonly V4Case[] = [
  {
    name: "calm",
    what: "1.5 Mbit/s at 0.3 % loss, nothing dropped",
    bitsPerSecond: 1_500_000,
    loss: 0.003,
    drops: false,
  },
  {
    name: "lossy",
    what: "0.9 Mbit/s at 1 % loss, nothing dropped",
    bitsPerSecond: 900_000,
    loss: 0.01,
    drops: false,
  },
  {
    name: "drops",
    what: "1.5 Mbit/s at 1 % loss, late groups dropped",
    bitsPerSecond: 1_500_000,
    loss: 0.01,
    drops: true,
  },
];

/** Pictures of a group. */
export const GROUP = 20;
/** Pictures a second. */
export const FPS = 10;

/** Half of the round trip. */
export const ONE_WAY_MS = 50;
/** How long sound waits for pictures from before it at the viewer: less than the library's default, as live viewers do. */
export const REORDER_MS = 500;
/** The congestion window opens in the first seconds, and the first key frame waits for that: they are told apart. */
export const START_MS = 10_000;

/** How much more heap the last third of the samples needs than the first: the most of each, in bytes. */
export function growth(heap: readonly number[]): number {
  const third = Math.floor(heap.length / 3);
  return Math.max(...heap.slice(-third)) - Math.max(...heap.slice(0, third));
}

/** What is wrong with a run; empty if nothing is. `heapGrowth` is in bytes, default none. */
export function faults(which: V4Case, seen: Seen, seconds: number, heapGrowth = 0): string[] {
  const groups = Math.ceil((seconds * FPS) / GROUP);
  const checks: [boolean, string][] = [
    [seen.longestGapMs <= 1_000, `a stall of ${Math.round(seen.longestGapMs)} ms, at most 1000 are allowed`],
    [seen.longestSoundGapMs <= 1_000, `sound stalled for ${Math.round(seen.longestSoundGapMs)} ms`],
    [
      Math.abs(seen.delaySlope) * (seconds / 60) <= MAX_DRIFT_MS,
      `the delay drifts by ${seen.delaySlope.toFixed(2)} ms a minute`,
    ],
    [heapGrowth <= MAX_GROWTH_BYTES, `the heap grew by ${Math.round(heapGrowth / 1024)} KiB`],
    [seen.missingSounds === 0, `${seen.missingSounds} frames of sound are missing`],
    [seen.undecodable === 0, `${seen.undecodable} pictures were shown whose group has a gap`],
    which.drops
      ? [seen.brokenGroups <= 0.3 * groups, `${seen.brokenGroups} of ${groups} groups were dropped, over 30 %`]
      : [seen.pictures === seconds * FPS, `${seconds * FPS - seen.pictures} pictures are missing`],
  ];
  return checks.filter(([holds]) => !holds).map(([, fault]) => fault);
}

/** Of the heap, after garbage collection: a byte for each of 600,000 datagrams would show. */
const MAX_GROWTH_BYTES = 512 * 1024;
/** Of the fitted delay from the beginning to the end: what chance makes of a minute, and nothing in 90. */
const MAX_DRIFT_MS = 150;

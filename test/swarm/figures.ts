/** The figures of a run: what is printed, stored, and held against the targets. */
import { WINDOW_MS } from "./delivery.ts";
import { Histogram } from "./histogram.ts";
import type { MemberReport } from "./member.ts";
import { NAT_MIX } from "./network.ts";
import type { SwarmRun } from "./swarm.ts";

/** p50 and p99 of times, in seconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** Shares are 0 to 1, times seconds. */
export interface SwarmFigures {
  readonly members: number;
  readonly seed: number;
  readonly kbps: number;
  readonly loss: number;
  readonly churn: number;
  readonly kill: number;
  readonly seconds: number;
  readonly crypto: string;
  readonly threads: number;
  readonly nats: Readonly<Record<string, number>>;
  /** Viewers that ever came, those that left meanwhile, and those that failed to join. */
  readonly came: number;
  readonly left: number;
  readonly failed: number;
  /** Of viewers up for 30 s, or in a short run since everybody has come: how many, and the share of the tags that came within the window. */
  readonly measured: number;
  readonly deliveredMin: number;
  readonly deliveredMean: number;
  /** From the start of connecting to the first key frame; of all who got one. */
  readonly startUp: Quantiles;
  readonly endToEnd: Quantiles;
  /** Silences of more than a second after the first key frame, per viewer and minute; and the longest. */
  readonly interruptionsPerMinute: number;
  readonly longestInterruption: number;
  /** What the publisher sent, and what a viewer sends at the mean and at most, as multiples of the stream. */
  readonly publisherUpload: number;
  /** Of all fragments that came, those that had come before. */
  readonly duplicates: number;
  /** Bytes of datagrams sent by all per byte of tags delivered. */
  readonly overhead: number;
  readonly neighboursMean: number;
  readonly neighboursMax: number;
  /** At the end: members with both ring neighbours; pairs of them connected, of those whose NATs allow it. */
  readonly ringMembers: number;
  readonly ringPairs: number;
  /** The most pieces that the group was in at once, from 10 s after the last of the first members came, and from 30 s after a kill. */
  readonly pieces: number;
  /** After the kill: until the last silence that began within a window of it ended, and until no tag was late; undefined: never. */
  readonly healed:
    | { readonly silence: number; readonly late: number | undefined; readonly ring: number | undefined }
    | undefined;
  readonly datagrams: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakHeapMiB: number;
}

/** Computes them. */
export function figuresOf(run: SwarmRun): SwarmFigures {
  const { options, viewers } = run;
  const endAt = options.seconds * 1000;
  // A short run has nobody who is there for so long.
  const longEnough = Math.min(MEASURED_MS, endAt - options.joinSeconds * 1000);
  const lifeOf = ({ leftAt, startedAt }: MemberReport): number => (leftAt ?? endAt) - startedAt;
  const shares = viewers.flatMap((member) => {
    const { due, got } = member.share;
    return lifeOf(member) < longEnough || due === 0 ? [] : [got / due];
  });
  const starts = new Histogram();
  for (const { firstKeyAt, startedAt } of viewers) if (firstKeyAt !== undefined) starts.add(firstKeyAt - startedAt);
  const silences = viewers.flatMap((member) => member.silences);
  const watched = sum(viewers.map(({ leftAt, firstKeyAt }) => Math.max(0, (leftAt ?? endAt) - (firstKeyAt ?? endAt))));
  const up = viewers.filter(({ isUp }) => isUp);
  const counts = viewers.flatMap(({ multicastStats }) => multicastStats ?? []);
  const duplicates = sum(counts.map((count) => count.duplicates));
  const received = duplicates + sum(counts.map(({ fragments }) => fragments));
  const ring = run.rings.at(-1)?.state;
  return {
    members: options.members,
    seed: options.seed,
    kbps: options.kbps,
    loss: options.loss,
    churn: options.churn,
    kill: options.kill,
    seconds: options.seconds,
    crypto: options.crypto,
    threads: options.threads,
    nats: Object.fromEntries(NAT_MIX),
    came: viewers.length,
    left: viewers.filter(({ leftAt }) => leftAt !== undefined).length,
    failed: viewers.filter(({ failure }) => failure !== undefined).length,
    measured: shares.length,
    deliveredMin: round(Math.min(1, ...shares), 5),
    deliveredMean: round(sum(shares) / Math.max(1, shares.length), 5),
    startUp: quantiles(starts),
    endToEnd: quantiles(run.delays),
    interruptionsPerMinute: round((silences.length * 60_000) / Math.max(1, watched), 3),
    longestInterruption: round(Math.max(0, ...silences.map(({ from, to }) => to - from)) / 1000, 1),
    publisherUpload: round(run.publisherBytes / Math.max(1, run.streamBytes), 2),
    duplicates: round(duplicates / Math.max(1, received), 4),
    overhead: round(run.allBytes / Math.max(1, sum(viewers.map(({ bytes }) => bytes))), 3),
    neighboursMean: round(sum(up.map(({ neighbours }) => neighbours)) / Math.max(1, up.length), 1),
    neighboursMax: Math.max(0, ...up.map(({ neighbours }) => neighbours)),
    ringMembers: round((ring?.right ?? 0) / Math.max(1, ring?.members ?? 0), 4),
    ringPairs: round((ring?.connected ?? 0) / Math.max(1, ring?.pairs ?? 0), 4),
    pieces: Math.max(1, ...run.rings.filter(({ at }) => isSettled(options, at)).map(({ state }) => state.pieces)),
    healed: options.kill === 0 ? undefined : healing(run),
    datagrams: run.datagrams,
    wallSeconds: round(run.wallSeconds, 1),
    cpuSeconds: round(run.cpuSeconds, 1),
    peakHeapMiB: Math.round(run.peakHeapBytes / 2 ** 20),
  };
}

/** Whether the group had the time to come together, or together again. */
function isSettled({ joinSeconds, kill, killAt }: SwarmRun["options"], at: number): boolean {
  const isHealing = kill > 0 && at >= killAt * 1000 && at < (killAt + HEALING_SECONDS) * 1000;
  return at >= (joinSeconds + 10) * 1000 && !isHealing;
}

function healing({ options, viewers, rings }: SwarmRun): SwarmFigures["healed"] {
  const from = options.killAt * 1000;
  const until = options.seconds * 1000 - WINDOW_MS;
  const survivors = viewers.filter(({ startedAt, leftAt }) => startedAt < from && (leftAt ?? until) > from);
  const quiet = survivors.flatMap(({ silences }) =>
    silences.filter(({ from: begun, to }) => to > from && begun < from + WINDOW_MS).map(({ to }) => to - from),
  );
  const lastLate = Math.max(from, ...survivors.map(({ missing }) => Math.max(from, ...missing)));
  const whole = ({ state }: SwarmRun["rings"][number]): boolean =>
    state.pieces === 1 && state.connected === state.pairs;
  const broken = rings.filter((sample) => sample.at >= from && !whole(sample)).at(-1);
  const isBroken = broken !== undefined && broken === rings.at(-1);
  return {
    silence: round(Math.max(0, ...quiet) / 1000, 1),
    late: lastLate > until - 1000 ? undefined : round((lastLate - from) / 1000, 1),
    ring: isBroken ? undefined : round(((broken?.at ?? from) - from) / 1000, 1),
  };
}

function quantiles(times: Histogram): Quantiles {
  return { p50: times.quantile(0.5) / 1000, p99: times.quantile(0.99) / 1000 };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** A group comes together again within this time. */
const HEALING_SECONDS = 30;
/** Who was up for less is not measured; ms. */
const MEASURED_MS = 30_000;

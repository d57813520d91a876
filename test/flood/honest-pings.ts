/** An honest far end: pings every 50 ms, and tells how long the answers took. */
import { setTimeout as wait } from "node:timers/promises";
import { type Address, letHeapGrow } from "rtmfp-core";
import { serve } from "./remote.ts";

/** Pings of a stretch of time. */
export interface PingReport {
  /** Round trips, ms; of those without an answer, the time they were waited for. */
  readonly times: readonly number[];
  /** Without an answer. */
  readonly lost: number;
}

/** What an honest far end does. */
export interface Honest {
  /** Connects, and begins to transfer without pause. */
  readonly start: (address: Address) => Promise<void>;
  /** Resolves with the answer. */
  readonly ping: () => Promise<void>;
  readonly isOpen: () => boolean;
}

/** A stretch of time: round trips, ms, and how many pings have no answer so far. */
interface Stretch {
  readonly times: number[];
  lost: number;
  ended: boolean;
}

/** Answers calls about it until the parent is gone, with the heap of the rtmfp-client command. */
export function serveHonest(honest: Honest): void {
  letHeapGrow();
  let stretch = fresh();
  const ping = async (): Promise<void> => {
    const own = stretch;
    const sent = performance.now();
    own.lost++;
    await honest.ping();
    if (own.ended) return;
    own.lost--;
    own.times.push(performance.now() - sent);
  };
  serve({
    start: async (address: Address): Promise<void> => {
      await honest.start(address);
      setInterval(() => void ping().catch(() => {}), PING_MS);
    },
    /** Begins a stretch of time. */
    begin: (): void => {
      stretch = fresh();
    },
    /** Ends it; gives its pings once the last of them has been answered or has had its time. */
    pings: async (): Promise<PingReport> => {
      const own = stretch;
      stretch = fresh();
      await wait(ANSWER_MS);
      own.ended = true;
      return { times: [...own.times, ...new Array<number>(own.lost).fill(ANSWER_MS)], lost: own.lost };
    },
    isOpen: honest.isOpen,
  });
}

function fresh(): Stretch {
  return { times: [], lost: 0, ended: false };
}

const PING_MS = 50;
const ANSWER_MS = 1_000;

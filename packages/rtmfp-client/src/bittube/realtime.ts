/** Lets tags out at the speed of their time. */
import type { FlvTag } from "rtmfp-core/flv";
import { type Clock, sleep, systemClock } from "../clock.ts";
import { HoldUp } from "../hold-up.ts";

/** How {@link realtime} goes. */
export interface RealtimeOptions {
  /** Whose time it is. Default: the process's. */
  readonly clock?: Clock;
  /** How far tags may be ahead of their time: 0 for a file; for a live source what its server keeps for late viewers; ms. */
  readonly leadMs: number;
  /**
   * The first tag goes so long before the others: who has waited for the stream hears of it while that is all there is, and
   * begins with it. Of much more a member of a group takes the newest, and waits for the next key frame. ms, default 1000.
   */
  readonly headStartMs?: number;
  /** Resolves when those who take the tags have room. Default: they always have. */
  readonly ready?: () => Promise<unknown>;
  /** Ends the tags. */
  readonly signal: AbortSignal;
}

/**
 * Passes each tag on when its time has come, counted from the first, which has a head start. What is late goes at once. A step of
 * more than 10 s, and tags that are later than that, begin the count anew. With a lead, time may run 0.1 % faster than here: no
 * two clocks agree. Who has no room holds the tags up for a second in all, until they are in time again: live media do not wait
 * for the slowest.
 */
export async function* realtime(
  tags: AsyncIterable<FlvTag>,
  options: RealtimeOptions,
): AsyncGenerator<FlvTag, void, undefined> {
  const { clock = systemClock, leadMs, headStartMs = HEAD_START_MS, ready, signal } = options;
  const holdUp = new HoldUp(clock);
  const speed = leadMs > 0 ? 1.001 : 1;
  let start: { readonly now: number; readonly timestamp: number } | undefined;
  let last = 0;
  for await (const tag of tags) {
    const isFirst = start === undefined;
    const now = clock.now();
    const due = start === undefined ? now : start.now + ((tag.timestamp - start.timestamp) | 0) / speed;
    const isBeginning =
      start === undefined || Math.abs((tag.timestamp - last) | 0) > MAX_STEP_MS || now - due > MAX_STEP_MS;
    last = tag.timestamp;
    // A live source goes on meanwhile.
    if (isBeginning) start = { now: isFirst && leadMs === 0 ? now + headStartMs : now, timestamp: tag.timestamp };
    else if (due - leadMs > now) await sleep(clock, due - leadMs - now, signal);
    if (ready !== undefined) await holdUp.wait(ready(), tag.timestamp);
    if (signal.aborted) return;
    yield tag;
    if (isFirst) await sleep(clock, headStartMs, signal);
  }
}

const MAX_STEP_MS = 10_000;
/** A few hops from neighbour to neighbour. */
const HEAD_START_MS = 1_000;

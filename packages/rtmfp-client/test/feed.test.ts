import type { FlvTag } from "rtmfp-core/flv";
import { SimClock } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it } from "../../../test/support/rfc.ts";
import { type FeedOptions, type FeedResult, feed, type TagOutcome } from "../src/feed.ts";

const tag = (timestamp: number): FlvTag => ({ type: "audio", timestamp, data: new Uint8Array(10) });

/** Feeds tags in virtual time; notes when each was written. */
function start(
  timestamps: readonly number[],
  options: FeedOptions = {},
  outcome: (index: number) => TagOutcome | Promise<TagOutcome> = () => "delivered",
): { clock: SimClock; written: number[]; target: { isPublishing: boolean }; result: Promise<FeedResult> } {
  const clock = new SimClock();
  const written: number[] = [];
  const target = {
    isPublishing: true,
    ready: Promise.resolve(),
    writeTag: () => {
      written.push(clock.now);
      return { done: Promise.resolve(outcome(written.length - 1)) };
    },
  };
  const time = { now: () => clock.now, after: (ms: number, run: () => void) => clock.after(ms, run) };
  return { clock, written, target, result: feed(target, timestamps.map(tag), time, options) };
}

describe("feed", () => {
  it("writes each tag when its time has come, counted from the first", async () => {
    const { clock, written, result } = start([1_000, 1_000, 1_040, 1_030, 2_000]);
    expect(await clock.settle(result, 10_000)).toEqual({ tags: 5, bytes: 50, delivered: 5, abandoned: 0 });
    expect(written).toEqual([0, 0, 40, 40, 1_000]);
  });

  it("takes a large step for a new beginning", async () => {
    const { clock, written, result } = start([0, 100, 50_000, 50_040, 0, 40]);
    await clock.settle(result, 10_000);
    expect(written).toEqual([0, 100, 100, 140, 140, 180]);
  });

  it("does not wait for time without pace, but for each tag's outcome", async () => {
    const { clock, written, result } = start([0, 5_000, 9_000], { pace: "none" }, (index) =>
      index === 1 ? "abandoned" : "delivered",
    );
    expect(await clock.settle(result, 1)).toEqual({ tags: 3, bytes: 30, delivered: 2, abandoned: 1 });
    expect(written).toEqual([0, 0, 0]);
  });

  it("ends early when the stream does, or its signal is aborted", async () => {
    const first = start([0, 100, 200]);
    await first.clock.runAsync(150);
    first.target.isPublishing = false;
    expect(await first.clock.settle(first.result, 1_000)).toMatchObject({ tags: 2, delivered: 2 });
    const abort = new AbortController();
    const second = start([0, 100, 200], { signal: abort.signal });
    await second.clock.runAsync(150);
    abort.abort();
    expect(await second.result).toMatchObject({ tags: 2, delivered: 2 });
  });
});

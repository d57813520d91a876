/** Sends tags from any source, in time. */
import type { FlvTag } from "rtmfp-core/flv";
import { type Clock, sleep } from "./clock.ts";
import { HoldUp } from "./hold-up.ts";

/** What became of tags. */
export type TagOutcome = "delivered" | "abandoned";

/** Returned for each tag written. */
export interface TagReceipt {
  /** Never rejects. "delivered": everyone who was subscribed has it, and somebody was; "abandoned" otherwise. */
  readonly done: Promise<TagOutcome>;
}

/** Options of NetStream.feed. */
export interface FeedOptions {
  /**
   * "timestamps" (default) sends each tag when its time has come, and is held up by those who take the tags for no more
   * than a second in all until it has caught up: then who has no room misses tags. "none" sends as fast as the flows take
   * them.
   */
  readonly pace?: "timestamps" | "none";
  /** Ends the feed after the tag being written. Default: none. */
  readonly signal?: AbortSignal;
}

/** The result of a feed; of all tags written each was either delivered or abandoned. */
export interface FeedResult {
  /** Tags written. */
  tags: number;
  /** Bytes of their bodies. */
  bytes: number;
  /** Tags that arrived whole. */
  delivered: number;
  /** Tags given up because they were late, or the stream ended. */
  abandoned: number;
}

/** Where a feed goes. */
export interface FeedTarget {
  readonly isPublishing: boolean;
  /** Resolves when there is room. */
  readonly ready: Promise<unknown>;
  writeTag(tag: FlvTag): TagReceipt;
}

/**
 * Writes all tags and resolves when each is delivered or abandoned. Ends early, with what was written, when the target stops
 * publishing or the signal is aborted; rejects with whatever the source throws.
 */
export async function feed(
  target: FeedTarget,
  tags: AsyncIterable<FlvTag> | Iterable<FlvTag>,
  clock: Clock,
  options: FeedOptions,
): Promise<FeedResult> {
  const { signal } = options;
  const result: FeedResult = { tags: 0, bytes: 0, delivered: 0, abandoned: 0 };
  const settled = new Countdown();
  const holdUp = new HoldUp(clock);
  const pacer = options.pace === "none" ? undefined : new Pacer(clock);
  for await (const tag of tags) {
    if (pacer === undefined) await target.ready;
    else {
      await pacer.wait(tag.timestamp, signal);
      await holdUp.wait(target.ready, tag.timestamp);
    }
    if (!target.isPublishing || signal?.aborted === true) break;
    const receipt = target.writeTag(tag);
    result.tags++;
    result.bytes += tag.data.length;
    settled.add();
    void receipt.done.then((outcome) => {
      result[outcome]++;
      settled.done();
    });
  }
  await settled.zero();
  return result;
}

/** Says when a timestamp's time has come. */
class Pacer {
  readonly #clock: Clock;
  #startedAt: number | undefined;
  #first = 0;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async wait(timestamp: number, signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.now();
    const step = (timestamp - this.#last) | 0;
    if (this.#startedAt === undefined || step > MAX_STEP_MS || step < -MAX_STEP_MS) {
      this.#startedAt = now;
      this.#first = timestamp;
    }
    this.#last = timestamp;
    const due = this.#startedAt + ((timestamp - this.#first) | 0);
    if (due > now) await sleep(this.#clock, due - now, signal);
  }
}

/** Resolves when as many are done as were added. */
class Countdown {
  #open = 0;
  #resolve: (() => void) | undefined;

  add(): void {
    this.#open++;
  }

  done(): void {
    if (--this.#open === 0) this.#resolve?.();
  }

  zero(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** A larger step between timestamps is a new beginning, not a pause. */
const MAX_STEP_MS = 10_000;

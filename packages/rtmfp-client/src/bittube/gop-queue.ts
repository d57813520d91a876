/** Tags on their way to somebody who may be slow. */
import { type FlvTag, type FlvTagType, isKeyFrame, isPicture } from "rtmfp-core/flv";
import { isHeader } from "./stream-start.ts";

/**
 * A queue with one reader that never holds up who fills it. When it is full, whole groups of pictures go, the oldest first, and of
 * sound alone the older half; metadata and codec configuration stay. Pictures go on with a key frame, sound at once.
 */
export class GopQueue<T extends FlvTag = FlvTag> implements AsyncIterableIterator<T> {
  readonly #maxBytes: number;
  #tags: T[] = [];
  #head = 0;
  #bytes = 0;
  #ended = false;
  /** Pictures are left out until one comes. */
  #awaitsKeyFrame = false;
  #wake: (() => void) | undefined;
  /** Tags that had to go, and pictures that could not be shown without them. */
  dropped = 0;

  /** So many bytes of tags may wait, counted with 100 for each tag. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a tag, which is kept until it is read or has to go. */
  push(tag: T): void {
    if (this.#ended) return;
    if (isKeyFrame(tag)) this.#awaitsKeyFrame = false;
    if (this.#awaitsKeyFrame && tag.type === "video" && !isHeader(tag)) this.dropped++;
    else this.#add(tag);
    if (this.#bytes > this.#maxBytes) {
      const before = this.#count;
      this.#shed();
      this.dropped += before - this.#count;
    }
    this.#notify();
  }

  /** Pictures that follow are left out up to the next key frame: what they build on has not been added. */
  awaitKeyFrame(): void {
    this.#awaitsKeyFrame = true;
  }

  /** Nothing follows; what waits can still be read. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** The next tag, once there is one. */
  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      const value = this.#shift();
      if (value !== undefined) return { done: false, value };
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the queue; what waits is gone. */
  async return(): Promise<IteratorResult<T>> {
    this.#replace([]);
    this.end();
    return { done: true, value: undefined };
  }

  /** The queue itself: there is one reader. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  #shed(): void {
    const waiting = this.#tags.slice(this.#head);
    const hasPictures = waiting.some(isPicture);
    const from = hasPictures ? waiting.findLastIndex(isKeyFrame) : waiting.length >> 1;
    this.#keep(waiting, Math.max(0, from));
    if (this.#bytes <= this.#maxBytes) return;
    // One group alone is more than the queue holds: the next one is the next that can be shown.
    this.#keep(waiting, waiting.length);
    this.#awaitsKeyFrame ||= hasPictures;
  }

  /** Keeps what waits from there on, and of what was before the last header of each kind. */
  #keep(waiting: readonly T[], from: number): void {
    const headers = new Map<FlvTagType, T>();
    for (const tag of waiting.slice(0, from).reverse())
      if (!headers.has(tag.type) && isHeader(tag)) headers.set(tag.type, tag);
    this.#replace([...[...headers.values()].reverse(), ...waiting.slice(from)]);
  }

  #add(tag: T): void {
    this.#tags.push(tag);
    this.#bytes += costOf(tag);
  }

  #replace(tags: T[]): void {
    this.#tags = tags;
    this.#head = 0;
    this.#bytes = tags.reduce((sum, tag) => sum + costOf(tag), 0);
  }

  get #count(): number {
    return this.#tags.length - this.#head;
  }

  #shift(): T | undefined {
    const tag = this.#tags[this.#head];
    if (tag === undefined) return undefined;
    this.#bytes -= costOf(tag);
    if (++this.#head > COMPACT_AT) this.#replace(this.#tags.slice(this.#head));
    return tag;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** What a tag takes of the memory, however little it carries. */
function costOf({ data }: FlvTag): number {
  return data.length + TAG_BYTES;
}

const TAG_BYTES = 100;
/** Read entries after which the array is cut. */
const COMPACT_AT = 1_024;

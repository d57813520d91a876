import { FlvError, type FlvTag } from "./flv-tag.ts";

/** Moves the timestamps of a stream so that its first tag is at a time of your choice. Wrapping at 2^32 is followed. */
export class TimestampRebaser {
  #position: number;
  readonly #start: number;
  #last: number | undefined;

  /** `startMs` is the timestamp that the first tag gets. Default 0. */
  constructor(startMs = 0) {
    this.#start = startMs;
    this.#position = startMs;
  }

  /** Timestamp of the tag rebased last, in milliseconds, not wrapped. */
  get position(): number {
    return this.#position;
  }

  /**
   * The tag at its new time; its data is shared with `tag`. Tags may step back, but not before the first one.
   * @throws FlvError for a tag from before the first one; the position stays as it was.
   */
  rebase(tag: FlvTag): FlvTag {
    const step = this.#last === undefined ? 0 : (tag.timestamp - this.#last) | 0;
    const position = this.#position + step;
    if (position < this.#start) {
      throw new FlvError(`a tag is ${this.#start - position} ms older than the first one; the source has started over`);
    }
    this.#last = tag.timestamp;
    this.#position = position;
    return { ...tag, timestamp: position >>> 0 };
  }
}

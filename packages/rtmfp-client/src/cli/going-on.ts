/** The time of what is recorded of several publications, one after the other. */
import type { FlvTag } from "rtmfp-core/flv";

/** Leaves the first one's time as it is, and lets that of the next go on one frame behind it. */
export class GoingOn {
  #offset = 0;
  #last = 0;
  #hasRestarted = false;

  /** What follows is of another publication, with a time of its own. */
  restart(): void {
    this.#hasRestarted = true;
  }

  /** The tag at its time; its data is shared with `tag`. Timestamps wrap at 2^32. */
  place(tag: FlvTag): FlvTag {
    if (this.#hasRestarted) this.#offset = (this.#last + FRAME_MS - tag.timestamp) | 0;
    this.#hasRestarted = false;
    this.#last = (tag.timestamp + this.#offset) >>> 0;
    return { ...tag, timestamp: this.#last };
  }
}

const FRAME_MS = 40;

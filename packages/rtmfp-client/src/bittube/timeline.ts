/** The time of a channel: it begins at 0 and goes on, whatever the source's own time does (B-9). */
import { FlvError, type FlvTag, isSequenceHeader } from "rtmfp-core/flv";

/**
 * Moves tags to the channel's time. In a stretch, which is what follows one FLV header, they keep their distances; the next
 * stretch begins one frame after the latest tag of all before. Data and codec configuration, which many servers send
 * at 0, are put in line with sound and pictures when they are far from them. Steps of more than 10 s forward are taken for one of
 * a frame: no player waits for an hour.
 */
export class Timeline {
  #start = 0;
  #latest = -FRAME_MS;
  /** The source's time of its last sound or picture; undefined before the first of the stretch. */
  #last: number | undefined;
  /** Where that one is in the channel's time, not wrapped. */
  #position = 0;

  /** Where the latest tag is, ms, not wrapped. */
  get latest(): number {
    return Math.max(0, this.#latest);
  }

  /** The next tag begins a new stretch. */
  restart(): void {
    this.#last = undefined;
    this.#start = this.#latest + FRAME_MS;
    this.#position = this.#start;
  }

  /**
   * The tag at its time in the channel; its data is shared with `tag`.
   * @throws FlvError for sound or pictures more than 10 s before those in front of them, which B-8 makes an error.
   */
  place(tag: FlvTag): FlvTag {
    const step = this.#last === undefined ? 0 : stepBetween(this.#last, tag.timestamp);
    if (tag.type === "data" || isSequenceHeader(tag)) {
      const isInLine = Math.abs(step) <= MAX_STEP_MS;
      return this.#at(tag, isInLine ? this.#position + step : this.#position);
    }
    if (step < -MAX_STEP_MS) throw backwards(this.#last ?? 0, tag.timestamp);
    this.#last = tag.timestamp;
    // One from before the first makes room for itself: held at the start, a whole group of pictures would come at once.
    if (step <= MAX_STEP_MS) this.#position = Math.max(this.#start, this.#position + step);
    else this.#position = this.#latest + FRAME_MS;
    return this.#at(tag, this.#position);
  }

  #at(tag: FlvTag, position: number): FlvTag {
    const at = Math.max(this.#start, position);
    this.#latest = Math.max(this.#latest, at);
    return { ...tag, timestamp: at >>> 0 };
  }
}

/** From one time of the source to another, through a wrap of its clock; ms. */
function stepBetween(from: number, to: number): number {
  const step = (to - from) | 0;
  const wrap = WRAPS.find((limit) => from < limit && to - from + limit <= MAX_STEP_MS);
  return wrap === undefined ? step : step + wrap;
}

function backwards(from: number, to: number): FlvError {
  const signed = to | 0;
  if (signed < 0 && (from | 0) >= 0)
    return new FlvError(`a timestamp is negative, ${signed} ms, after one of ${from} ms`);
  return new FlvError(`the time goes back from ${from} to ${to} ms: the source has started over`);
}

/** Where clocks begin anew before 2^32: some writers know 24 bits only, and ffmpeg never sets the highest of 32. */
const WRAPS = [2 ** 24, 2 ** 31] as const;
/** From one stretch to the next; ms. */
const FRAME_MS = 40;
/** Kinds may be that far from each other; more is a source that has started over, or set its clock. */
const MAX_STEP_MS = 10_000;

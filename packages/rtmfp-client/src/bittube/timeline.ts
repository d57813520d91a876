/** The time of a channel: it begins at 0 and goes on, whatever the source's own time does (B-9). */
import { FlvError, type FlvTag, isSequenceHeader } from "rtmfp-core/flv";

/**
 * Moves tags to the channel's time. In a stretch, which is what follows one FLV header, they keep their distances; the next
 * stretch begins one frame after the latest tag of all before. Data and codec configuration, which many servers send
 * at 0, are put in line with sound and pictures when they are far from them, and data that are ahead of these, too. Steps of more
 * than 10 s forward are taken for one of a frame: no player waits for an hour. Where the next tag is in line with what was before such a step, its time was wrong.
 */
export class Timeline {
  #start = 0;
  #latest = -FRAME_MS;
  /** The last sound or picture; undefined before the first of the stretch. */
  #last: Point | undefined;
  /** What was before a step of more than 10 s, if that was the last. */
  #before: (Point & { readonly latest: number }) | undefined;

  /** Where the latest tag is, ms, not wrapped. */
  get latest(): number {
    return Math.max(0, this.#latest);
  }

  /** The next tag begins a new stretch. */
  restart(): void {
    this.#last = undefined;
    this.#before = undefined;
    this.#start = this.#latest + FRAME_MS;
  }

  /**
   * The tag at its time in the channel; its data is shared with `tag`.
   * @throws FlvError for sound or pictures more than 10 s before those in front of them, which B-8 makes an error.
   */
  place(tag: FlvTag): FlvTag {
    if (tag.type === "data" || isSequenceHeader(tag)) {
      const step = stepTo(tag, this.#last);
      // Data ahead of the media, as cue points may be, would hold up all that comes behind them.
      const isKept = Math.abs(step) <= MAX_STEP_MS && (tag.type !== "data" || step < 0);
      return this.#at(tag, this.#position + (isKept ? step : 0));
    }
    this.#forgetStray(tag);
    const step = stepTo(tag, this.#last);
    if (step < -MAX_STEP_MS) throw backwards(this.#last?.timestamp ?? 0, tag.timestamp);
    const isLeap = step > MAX_STEP_MS;
    this.#before = isLeap && this.#last !== undefined ? { ...this.#last, latest: this.#latest } : undefined;
    // One from before the first makes room for itself: held at the start, a whole group of pictures would come at once.
    const position = isLeap ? this.#latest + FRAME_MS : Math.max(this.#start, this.#position + step);
    this.#last = { timestamp: tag.timestamp, position };
    return this.#at(tag, position);
  }

  /** Where the last sound or picture is. */
  get #position(): number {
    return this.#last?.position ?? this.#start;
  }

  /** Goes back to before a leap if `tag` is nearer to that. */
  #forgetStray(tag: FlvTag): void {
    const before = this.#before;
    if (before === undefined) return;
    const step = Math.abs(stepTo(tag, before));
    if (step > MAX_STEP_MS || step >= Math.abs(stepTo(tag, this.#last))) return;
    this.#last = before;
    this.#latest = before.latest;
  }

  #at(tag: FlvTag, position: number): FlvTag {
    const at = Math.max(this.#start, position);
    this.#latest = Math.max(this.#latest, at);
    return { ...tag, timestamp: at >>> 0 };
  }
}

/** One moment in both times. */
interface Point {
  /** The source's; ms. */
  readonly timestamp: number;
  /** The channel's, not wrapped; ms. */
  readonly position: number;
}

/** How far the source's time goes from a moment to a tag, through a wrap of its clock; ms. */
function stepTo({ timestamp: to }: FlvTag, last: Point | undefined): number {
  if (last === undefined) return 0;
  const { timestamp: from } = last;
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

/** Puts the tags of a stream, which come in flows of their own, back into the order of their timestamps. */
import { type FlvTag, type FlvTagType, isSequenceHeader } from "rtmfp-core/flv";
import { LivedClock } from "rtmfp-core/group";
import type { Clock } from "./clock.ts";

interface Entry {
  readonly tag: FlvTag;
  readonly arrivedAt: number;
}

/**
 * A tag is passed on when no other kind can bring an earlier one: each kind has something queued or has come as far. A
 * kind that stays behind for the length of the window, or has not come within a second (data: 0.3 s), is not waited for until
 * it shows up again, one that is switched off not at all. If it then shows up in time, it had been silent and not held up:
 * from there it is waited for 0.3 s, until it comes late. A tag that comes after its turn is passed on at once and counted. At equal times: data, codec configuration, video, audio.
 * Only time that the process has lived counts: what it did not read meanwhile is not late.
 */
export class TagMerger {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #out: (tag: FlvTag) => void;
  readonly #queues: Readonly<Record<FlvTagType, Entry[]>> = { data: [], video: [], audio: [] };
  /** Kinds worth waiting for, and how far each has come. At first all are, so that metadata is not overtaken. */
  readonly #awaited = new Map<FlvTagType, number | undefined>();
  /** Media that were waited for in vain and have not come since. */
  readonly #missed = new Set<FlvTagType>();
  /** Media that were silent when they were waited for, and have not come late since. */
  readonly #sporadic = new Set<FlvTagType>();
  readonly #switchedOff = new Set<FlvTagType>();
  #cancelTimer: (() => void) | undefined;
  /** When the timer is due. */
  #lookAt: number = Number.POSITIVE_INFINITY;
  #lastOut: number | undefined;
  #queuedBytes = 0;
  /** Tags passed on after a later one. */
  late = 0;

  /** `windowMs` bounds how long a tag waits for others. */
  constructor(clock: Clock, windowMs: number, out: (tag: FlvTag) => void) {
    this.#clock = new LivedClock(clock);
    this.#windowMs = windowMs;
    this.#out = out;
    this.reset();
  }

  push(tag: FlvTag): void {
    this.#queues[tag.type].push({ tag, arrivedAt: this.#clock.now() });
    this.#queuedBytes += tag.data.length;
    if (this.#isLate(tag)) this.#sporadic.delete(tag.type);
    else if (this.#missed.has(tag.type)) this.#sporadic.add(tag.type);
    this.#missed.delete(tag.type);
    // Data is rare: once the first has come, none is waited for.
    if (tag.type === "data") this.#awaited.delete("data");
    else if (!this.#switchedOff.has(tag.type)) this.#awaited.set(tag.type, tag.timestamp);
    this.#release();
  }

  /** Whether tags of a kind are to come at all; once they are again, the first says how far the kind is. */
  expect(kind: FlvTagType, expected: boolean): void {
    if (expected) {
      this.#switchedOff.delete(kind);
      return;
    }
    this.#switchedOff.add(kind);
    this.#awaited.delete(kind);
    this.#release();
  }

  /** Passes on all that waits. */
  flush(): void {
    this.#cancelTimer?.();
    this.#lookAt = Number.POSITIVE_INFINITY;
    for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) this.#take(next);
  }

  /** {@link flush}, and time starts anew: the stream was published again. */
  reset(): void {
    this.flush();
    this.#lastOut = undefined;
    this.#missed.clear();
    this.#sporadic.clear();
    for (const kind of KINDS) if (!this.#switchedOff.has(kind)) this.#awaited.set(kind, undefined);
  }

  #release(): void {
    const now = this.#clock.now();
    for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) {
      const { tag, arrivedAt } = this.#queues[next][0]!;
      const mayWait = this.#queuedBytes <= MAX_QUEUED_BYTES && !this.#isLate(tag);
      for (const kind of mayWait ? this.#behind(tag) : []) {
        const left = arrivedAt + this.#patience(kind) - now;
        if (left > 0) {
          this.#look(now + Math.min(left, LOOK_MS));
          return;
        }
        if (this.#awaited.get(kind) !== undefined) this.#missed.add(kind);
        this.#awaited.delete(kind);
      }
      this.#take(next);
    }
  }

  /** Looks again no later than this. */
  #look(at: number): void {
    if (at >= this.#lookAt) return;
    this.#cancelTimer?.();
    this.#lookAt = at;
    this.#cancelTimer = this.#clock.after(at - this.#clock.now(), () => {
      this.#lookAt = Number.POSITIVE_INFINITY;
      this.#release();
    });
  }

  /** The kind whose first tag is next. */
  #earliest(): FlvTagType | undefined {
    let best: FlvTagType | undefined;
    for (const kind of KINDS) {
      const tag = this.#queues[kind][0]?.tag;
      if (tag === undefined) continue;
      const other = best === undefined ? undefined : this.#queues[best][0]!.tag;
      if (other === undefined || comesBefore(tag, other)) best = kind;
    }
    return best;
  }

  /** Kinds that may still bring a tag from before this one. */
  #behind(tag: FlvTag): FlvTagType[] {
    return KINDS.filter((kind) => {
      if (kind === tag.type || !this.#awaited.has(kind) || this.#queues[kind].length > 0) return false;
      const progress = this.#awaited.get(kind);
      return progress === undefined || after(tag.timestamp, progress);
    });
  }

  /** Many streams lack a kind: one that has never come is not waited for as long. */
  #patience(kind: FlvTagType): number {
    if (this.#sporadic.has(kind)) return Math.min(this.#windowMs, SHORT_MS);
    if (this.#awaited.get(kind) !== undefined) return this.#windowMs;
    // Servers send metadata ahead of the media, if there are any.
    return Math.min(this.#windowMs, kind === "data" ? SHORT_MS : START_MS);
  }

  #isLate(tag: FlvTag): boolean {
    return this.#lastOut !== undefined && after(this.#lastOut, tag.timestamp);
  }

  #take(kind: FlvTagType): void {
    const { tag } = this.#queues[kind].shift()!;
    this.#queuedBytes -= tag.data.length;
    if (this.#isLate(tag)) this.late++;
    else this.#lastOut = tag.timestamp;
    this.#out(tag);
  }
}

function comesBefore(tag: FlvTag, other: FlvTag): boolean {
  if (tag.timestamp !== other.timestamp) return after(other.timestamp, tag.timestamp);
  return tag.type !== "data" && other.type !== "data" && isSequenceHeader(tag) && !isSequenceHeader(other);
}

/** Whether timestamp `a` is later than `b`; they wrap at 2^32. */
function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** In the order of equal times. */
const KINDS: readonly FlvTagType[] = ["data", "video", "audio"];
/** How long the first tags wait for kinds that the stream may not have. */
const START_MS = 1_000;
/** How long tags wait for a kind that most likely has none. */
const SHORT_MS = 300;
/** How often it is looked at whether what waits has waited for long enough: lived time stands still from one look to the next. */
const LOOK_MS = 100;
/** Beyond it nothing is waited for. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

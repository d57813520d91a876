/** What a viewer sees of a stream of {@link camera}: stalls, delay and its slope, what is missing. Its memory is constant. */
import { type FlvTag, isKeyFrame } from "rtmfp-core/flv";
import { serialOf } from "./camera.ts";

/** Figures of one viewer. Times in ms; gaps and delays are those of frames from after the start. */
export interface Seen {
  readonly sounds: number;
  readonly pictures: number;
  readonly keyFrames: number;
  /** Groups of pictures of which at least one is missing, those that never began included. */
  readonly brokenGroups: number;
  /** Pictures shown although one before them in their group is missing. */
  readonly undecodable: number;
  readonly missingSounds: number;
  /** The longest time between two frames, whatever their kind. */
  readonly longestGapMs: number;
  readonly longestSoundGapMs: number;
  readonly meanDelayMs: number;
  readonly worstDelayMs: number;
  /** Of the delay over time, fitted to all these frames; ms per minute. */
  readonly delaySlope: number;
  /** The longest time between two frames of the start. */
  readonly startGapMs: number;
}

/** Sees tag after tag. */
export class Watch {
  readonly #group: number;
  readonly #startMs: number;
  readonly #line = new Line();
  #lastAt: number | undefined;
  #lastSoundAt: number | undefined;
  #nextSound = 0;
  #nextPicture = 0;
  #pictures = 0;
  #sounds = 0;
  #keyFrames = 0;
  #broken = new Set<number>();
  #brokenBefore = 0;
  #undecodable = 0;
  #missingSounds = 0;
  #longestGap = 0;
  #longestSoundGap = 0;
  #worstDelay = 0;
  #startGap = 0;

  /** `group` is the camera's; `startMs` is how long the start is that gaps and delays do not count for. Default 0. */
  constructor(group: number, startMs = 0) {
    this.#group = group;
    this.#startMs = startMs;
  }

  /** A tag that is shown at `at`; `startedAt` is when the camera's timestamp was 0. */
  see(tag: FlvTag, at: number, startedAt: number): void {
    if (tag.type === "data" || serialOf(tag) < 0) return;
    const gap = at - (this.#lastAt ?? at);
    this.#lastAt = at;
    if (tag.timestamp < this.#startMs) this.#startGap = Math.max(this.#startGap, gap);
    else {
      const delay = at - startedAt - tag.timestamp;
      this.#line.add(at - startedAt, delay);
      this.#worstDelay = Math.max(this.#worstDelay, delay);
      this.#longestGap = Math.max(this.#longestGap, gap);
      if (tag.type === "audio") this.#longestSoundGap = Math.max(this.#longestSoundGap, at - (this.#lastSoundAt ?? at));
    }
    if (tag.type === "audio") this.#seeSound(serialOf(tag), at);
    else this.#seePicture(serialOf(tag), isKeyFrame(tag));
  }

  /** The figures so far. `pictures` is how many the camera gave. */
  figures(pictures: number): Seen {
    this.#miss(pictures);
    return {
      sounds: this.#sounds,
      pictures: this.#pictures,
      keyFrames: this.#keyFrames,
      brokenGroups: this.#brokenBefore + this.#broken.size,
      undecodable: this.#undecodable,
      missingSounds: this.#missingSounds,
      longestGapMs: this.#longestGap,
      longestSoundGapMs: this.#longestSoundGap,
      meanDelayMs: this.#line.mean,
      worstDelayMs: this.#worstDelay,
      delaySlope: this.#line.slope * 60_000,
      startGapMs: this.#startGap,
    };
  }

  #seeSound(serial: number, at: number): void {
    this.#missingSounds += serial - this.#nextSound;
    this.#nextSound = serial + 1;
    this.#sounds++;
    this.#lastSoundAt = at;
  }

  #seePicture(serial: number, isKey: boolean): void {
    this.#miss(serial);
    this.#nextPicture = serial + 1;
    this.#pictures++;
    if (isKey) this.#keyFrames++;
    else if (this.#broken.has(Math.floor(serial / this.#group))) this.#undecodable++;
    this.#forget(serial);
  }

  /** Pictures up to `serial` will not come any more: they come in order. */
  #miss(serial: number): void {
    for (let missing = this.#nextPicture; missing < serial; missing++)
      this.#broken.add(Math.floor(missing / this.#group));
  }

  #forget(serial: number): void {
    for (const group of this.#broken) {
      if (group >= Math.floor(serial / this.#group)) continue;
      this.#broken.delete(group);
      this.#brokenBefore++;
    }
  }
}

/** A line fitted by least squares, without keeping the points. */
class Line {
  #n = 0;
  #meanX = 0;
  #meanY = 0;
  #varX = 0;
  #cov = 0;

  add(x: number, y: number): void {
    this.#n++;
    const dx = x - this.#meanX;
    this.#meanX += dx / this.#n;
    this.#meanY += (y - this.#meanY) / this.#n;
    this.#varX += dx * (x - this.#meanX);
    this.#cov += dx * (y - this.#meanY);
  }

  get mean(): number {
    return this.#meanY;
  }

  get slope(): number {
    return this.#varX === 0 ? 0 : this.#cov / this.#varX;
  }
}

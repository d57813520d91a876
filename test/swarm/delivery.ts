/** What one member got of the stream, and when. Times are ms of virtual time. */

/** When each tag of the stream was published. */
export interface Published {
  /** By number of the tag. Owned by the run. */
  readonly at: readonly number[];
}

/** One member's share of the stream: tags that it should have got, and those of them that it got in time. */
export interface Share {
  readonly due: number;
  readonly got: number;
}

/** A stretch without anything new. */
export interface Silence {
  readonly from: number;
  readonly to: number;
}

/** The book of one member. */
export class Delivery {
  /** When it began to play. */
  readonly startedAt: number;
  /** When the first tag came, and the first key frame; undefined before. */
  firstAt: number | undefined;
  firstKeyAt: number | undefined;
  /** Those longer than {@link SILENCE_MS}, since the first key frame. */
  readonly silences: Silence[] = [];
  /** Tags that came twice. */
  repeated = 0;
  /** Of the bodies of tags that came. */
  bytes = 0;
  readonly #published: Published;
  /** Delay of each tag that came; NaN for those that did not. By number of the tag. */
  readonly #delays: Float32Array;
  #lastAt = 0;
  #firstNumber = Number.POSITIVE_INFINITY;

  constructor(published: Published, startedAt: number) {
    this.#published = published;
    this.#delays = new Float32Array(published.at.length).fill(Number.NaN);
    this.startedAt = startedAt;
  }

  /** A tag has come; its delay, or undefined if it is none of the stream's, or has come before. */
  take(number: number, bytes: number, isKey: boolean, now: number): number | undefined {
    const publishedAt = this.#published.at[number];
    if (publishedAt === undefined) return undefined;
    if (!Number.isNaN(this.#delays[number])) {
      this.repeated++;
      return undefined;
    }
    this.firstAt ??= now;
    if (isKey) this.firstKeyAt ??= now;
    if (isKey) this.#firstNumber = Math.min(number, this.#firstNumber);
    this.end(now);
    this.#lastAt = now;
    this.bytes += bytes;
    const delay = now - publishedAt;
    this.#delays[number] = delay;
    return delay;
  }

  /** Nothing came any more until `now`. */
  end(now: number): void {
    if (this.firstKeyAt !== undefined && this.#lastAt > 0 && now - this.#lastAt > SILENCE_MS)
      this.silences.push({ from: this.#lastAt, to: now });
  }

  /**
   * Of the tags published up to `until`, those that came within `windowMs`; from the first key frame that came on, or from
   * {@link PATIENCE_MS} after the start if that is earlier.
   */
  share(until: number, windowMs: number): Share {
    const due = this.#due(until);
    return { due: due.length, got: due.filter((number) => this.#isInTime(number, windowMs)).length };
  }

  /** When those that are missing from {@link share} were published. */
  missingTimes(until: number, windowMs: number): number[] {
    const missing = this.#due(until).filter((number) => !this.#isInTime(number, windowMs));
    return missing.map((number) => this.#published.at[number] as number);
  }

  /** Numbers of the tags that it should have got. */
  #due(until: number): number[] {
    const { at } = this.#published;
    const latest = this.startedAt + PATIENCE_MS;
    const due: number[] = [];
    for (let number = 0; number < at.length && (at[number] as number) <= until; number++)
      if (number >= this.#firstNumber || (at[number] as number) >= latest) due.push(number);
    return due;
  }

  #isInTime(number: number, windowMs: number): boolean {
    return (this.#delays[number] as number) <= windowMs;
  }
}

/** The window of a multicast stream, its default; ms. */
export const WINDOW_MS = 8_000;
/** What a viewer notices; ms. */
export const SILENCE_MS = 1_000;
/** A member to which nothing has come by then misses what it should have got; ms. */
export const PATIENCE_MS = 10_000;

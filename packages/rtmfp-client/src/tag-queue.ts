/** Tags that wait for their reader. */
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";

/**
 * A bounded queue with one reader. Once there is a reader a full queue calls `onFull(true)`, and `onFull(false)` when it has
 * drained to half; before that, and forever if nobody ever reads, the oldest tags give way to new ones.
 */
export class TagQueue implements AsyncIterableIterator<FlvTag> {
  readonly #onFull: (full: boolean) => void;
  readonly #onBreak: () => unknown;
  #tags: FlvTag[] = [];
  #head = 0;
  #bytes = 0;
  #full = false;
  #hasReader = false;
  #ended = false;
  #wake: (() => void) | undefined;
  /** Tags that gave way. */
  dropped = 0;

  /** `onBreak` is called when the reader leaves its loop early. */
  constructor(onFull: (full: boolean) => void, onBreak: () => unknown) {
    this.#onFull = onFull;
    this.#onBreak = onBreak;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  get isFull(): boolean {
    return this.#full;
  }

  /** What waits of each kind: bytes, and ms from its first tag to its last. */
  get waiting(): Readonly<Record<FlvTagType, { readonly bytes: number; readonly ms: number }>> {
    const level = (kind: FlvTagType): { bytes: number; ms: number } => {
      const tags = this.#tags.slice(this.#head).filter(({ type }) => type === kind);
      const ms = (tags.at(-1)?.timestamp ?? 0) - (tags[0]?.timestamp ?? 0);
      return { bytes: tags.reduce((sum, { data }) => sum + data.length, 0), ms: Math.max(0, ms) };
    };
    return { audio: level("audio"), video: level("video"), data: level("data") };
  }

  push(tag: FlvTag): void {
    if (this.#ended) return;
    this.#tags.push(tag);
    this.#bytes += tag.data.length;
    this.#notify();
    while (!this.#hasReader && this.#exceeds(1) && this.#count > 1) {
      this.#shift();
      this.dropped++;
    }
    if (this.#hasReader) this.#check();
  }

  /** Nothing follows; what waits can still be read. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  async next(): Promise<IteratorResult<FlvTag>> {
    this.#hasReader = true;
    for (;;) {
      const value = this.#shift();
      if (value !== undefined) {
        this.#check();
        return { done: false, value };
      }
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<FlvTag>> {
    this.#tags = [];
    this.#head = 0;
    this.#bytes = 0;
    this.end();
    await this.#onBreak();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #shift(): FlvTag | undefined {
    const tag = this.#tags[this.#head];
    if (tag === undefined) return undefined;
    this.#bytes -= tag.data.length;
    if (++this.#head > COMPACT_AT) {
      this.#tags = this.#tags.slice(this.#head);
      this.#head = 0;
    }
    return tag;
  }

  #check(): void {
    if (this.#full === this.#exceeds(this.#full ? 0.5 : 1)) return;
    this.#full = !this.#full;
    this.#onFull(this.#full);
  }

  get #count(): number {
    return this.#tags.length - this.#head;
  }

  /** Whether that share of what may wait is not enough. */
  #exceeds(share: number): boolean {
    return this.#bytes > MAX_BYTES * share || this.#count > MAX_TAGS * share;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Bytes of tags that may wait; one tag is always taken. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Tags that may wait: each costs some hundred bytes, however little it carries. */
const MAX_TAGS = 32_768;
/** Read entries after which the array is cut. */
const COMPACT_AT = 1024;

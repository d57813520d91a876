/** Figures of a NetStream with Adobe's names (ActionScript's flash.net). */
import { type MulticastControls, MulticastStreamSettings } from "./group/multicast-settings.ts";
import type { StreamTags } from "./stream-tags.ts";

/** What is known of the tags of a NetStream, published or played. */
export class MeasuredStream<
  Events extends Record<keyof Events, readonly unknown[]>,
> extends MulticastStreamSettings<Events> {
  readonly #tags: StreamTags;

  /** `controls` and `tags` are what it reads. */
  constructor(controls: MulticastControls, tags: StreamTags) {
    super(controls);
    this.#tags = tags;
  }

  /** Media time of the last tag that came, or was written; seconds. */
  get time(): number {
    return this.#tags.meter.lastTimestamp / 1000;
  }

  /** Media that waits for its reader, of the kind that has most; a length in seconds, not bytes. */
  get bufferLength(): number {
    return Math.max(...Object.values(this.#tags.queue.waiting).map(({ ms }) => ms)) / 1000;
  }

  /** {@link bufferLength}: how far the reader is behind, seconds. */
  get liveDelay(): number {
    return this.bufferLength;
  }

  /** Pictures that came, or were written, per second. */
  get currentFPS(): number {
    return this.#tags.meter.framesPerSecond(this.#tags.now);
  }

  /** Bytes of tags that came, or were written. */
  get bytesLoaded(): number {
    return this.#tags.meter.byteCount;
  }

  /** Always 0: a live stream has no length. */
  get bytesTotal(): number {
    return 0;
  }

  /** FLV's number of the sound's codec, such as 10 for AAC; 0 before the first. */
  get audioCodec(): number {
    return this.#tags.meter.codecs.audio;
  }

  /** FLV's number of the pictures' codec, such as 7 for H.264; 0 before the first. */
  get videoCodec(): number {
    return this.#tags.meter.codecs.video;
  }
}

/** Where a viewer who joined late begins, and what is repeated for those who have not. */
import { type FlvTag, isKeyFrame, isMetadata, isPicture, isSequenceHeader, needsSequenceHeader } from "rtmfp-core/flv";
import { equalBytes } from "rtmfp-core/proto";

/**
 * Lets pictures through from the first key frame on, and both kinds only once the codec configuration that they need has come.
 * Where there are pictures, sound begins with the first of them, or after 10 s; what has been heard for a second without any goes
 * on. Metadata and configurations that say what the ones before them said are left out.
 */
export class StartGate {
  #metadata: Uint8Array | undefined;
  readonly #configs: { video: Uint8Array | undefined; audio: Uint8Array | undefined } = {
    video: undefined,
    audio: undefined,
  };
  #awaitsKeyFrame = true;
  #hasPictures = false;
  /** When the first sound came that can be decoded. */
  #soundAt: number | undefined;
  /** Sound goes on, whatever comes. */
  #hasBegun = false;

  passes(tag: FlvTag): boolean {
    const { type, data } = tag;
    if (type === "data") {
      if (!isMetadata(tag)) return true;
      if (same(data, this.#metadata)) return false;
      this.#metadata = data.slice();
      return true;
    }
    if (isPicture(tag)) this.#hasPictures = true;
    if (isSequenceHeader(tag)) {
      if (same(data, this.#configs[type])) return false;
      this.#configs[type] = data.slice();
      return true;
    }
    if (this.#configs[type] === undefined && needsSequenceHeader(tag)) return false;
    return type === "video" ? this.#passesPicture(tag) : this.#passesSound(tag);
  }

  /** Pictures go on with the next key frame. */
  awaitKeyFrame(): void {
    this.#awaitsKeyFrame = true;
  }

  /** Another stream follows. */
  reset(): void {
    this.#metadata = undefined;
    this.#configs.video = undefined;
    this.#configs.audio = undefined;
    this.#awaitsKeyFrame = true;
    this.#hasPictures = false;
    this.#soundAt = undefined;
    this.#hasBegun = false;
  }

  #passesPicture(tag: FlvTag): boolean {
    if (isKeyFrame(tag)) {
      this.#awaitsKeyFrame = false;
      this.#hasBegun = true;
    }
    return !this.#awaitsKeyFrame;
  }

  #passesSound({ timestamp }: FlvTag): boolean {
    this.#soundAt ??= timestamp;
    const soundMs = (timestamp - this.#soundAt) | 0;
    if (soundMs >= (this.#hasPictures ? PATIENCE_MS : SOUND_ALONE_MS)) this.#hasBegun = true;
    return this.#hasBegun || !this.#hasPictures;
  }
}

function same(bytes: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && equalBytes(bytes, other);
}

/** A stream without pictures for so long is one of sound alone; ms of the stream. */
export const SOUND_ALONE_MS = 1_000;
/** So long what is missing at the start is waited for: longer than most groups of pictures; ms of the stream. */
export const PATIENCE_MS = 10_000;

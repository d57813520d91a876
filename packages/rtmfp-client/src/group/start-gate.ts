/** Where a viewer who joined late begins, and what is repeated for those who have not. */
import { type FlvTag, isKeyFrame, isMetadata, isSequenceHeader, needsSequenceHeader } from "rtmfp-core/flv";
import { equalBytes } from "rtmfp-core/proto";

/**
 * Lets pictures through from the first key frame on, and both kinds only once the codec configuration that they need has come.
 * Where there are pictures, sound begins with the first of them. Metadata and configurations that say what the ones before
 * them said are left out.
 */
export class StartGate {
  #metadata: Uint8Array | undefined;
  readonly #configs: { video: Uint8Array | undefined; audio: Uint8Array | undefined } = {
    video: undefined,
    audio: undefined,
  };
  #awaitsKeyFrame = true;
  /** Whether there are pictures, and one has been let through. */
  #hasPictures = false;
  #hasBegun = false;

  passes(tag: FlvTag): boolean {
    const { type, data } = tag;
    if (type === "data") {
      if (!isMetadata(tag)) return true;
      if (same(data, this.#metadata)) return false;
      this.#metadata = data.slice();
      return true;
    }
    if (type === "video") this.#hasPictures = true;
    if (isSequenceHeader(tag)) {
      if (same(data, this.#configs[type])) return false;
      this.#configs[type] = data.slice();
      return true;
    }
    if (this.#configs[type] === undefined && needsSequenceHeader(tag)) return false;
    if (type === "video" && this.#awaitsKeyFrame) {
      if (!isKeyFrame(tag)) return false;
      this.#awaitsKeyFrame = false;
      this.#hasBegun = true;
    }
    return type === "video" || this.#hasBegun || !this.#hasPictures;
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
    this.#hasBegun = false;
  }
}

function same(bytes: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && equalBytes(bytes, other);
}

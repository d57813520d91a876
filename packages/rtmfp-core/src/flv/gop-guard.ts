import type { FlvTag } from "./flv-tag.ts";
import { isKeyFrame, isSequenceHeader } from "./tag-info.ts";

/**
 * Lets no picture through whose group of pictures has lost an earlier one: from a gap to the next key frame a decoder
 * would show what it cannot know. Sound, data and codec configuration always pass.
 */
export class GopGuard {
  #broken = false;
  /** Pictures held back so far. */
  dropped = 0;

  /** Something of the pictures' stream was lost in front of the next tag. */
  gap(): void {
    this.#broken = true;
  }

  /** Whether the tag may be shown. */
  passes(tag: FlvTag): boolean {
    if (!this.#broken || tag.type !== "video" || isSequenceHeader(tag)) return true;
    if (isKeyFrame(tag)) {
      this.#broken = false;
      return true;
    }
    this.dropped++;
    return false;
  }
}
